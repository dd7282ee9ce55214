/** The unit that an RTMP message or an FLV tag carries (FLV 10.1, annex E.4.1). */
import type { Micros } from "../../base/time.ts";

interface TagBase {
  /** On the stream's timeline; each connection subtracts its own start. */
  readonly pts: Micros;
  /** Tag body, made once and shared by all destinations; never written to. */
  readonly body: Uint8Array;
}

/** A video tag: a decoder configuration, an IDR picture, or a picture that needs earlier ones. */
export interface VideoTag extends TagBase {
  readonly kind: "video";
  readonly role: "config" | "key" | "delta";
}

/** An audio tag: a decoder configuration or one frame. */
export interface AudioTag extends TagBase {
  readonly kind: "audio";
  readonly role: "config" | "frame";
}

/** A data message, such as onMetaData. */
export interface ScriptTag extends TagBase {
  readonly kind: "script";
}

export type FlvTag = VideoTag | AudioTag | ScriptTag;
