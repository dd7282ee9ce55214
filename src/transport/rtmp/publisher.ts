import type { FailureValue } from "../../base/failure.ts";
import type { Micros, Millis } from "../../base/time.ts";
import type { FlvTag } from "../../protocol/flv/tag.ts";
import type { RtmpUrl } from "../../protocol/rtmp/url.ts";
import type { MayConnect } from "./address-rules.ts";

/** How to reach and speak to one destination. */
export interface RtmpPublisherOptions {
  readonly url: RtmpUrl;
  readonly flashVersion: string;
  /** Local address to connect from; undefined lets the system choose. */
  readonly localAddress: string | undefined;
  /** From the start of DNS resolution until `publish` is accepted. */
  readonly connectTimeout: Millis;
  /** How long written bytes may wait without the peer taking any before the connection counts as dead. */
  readonly writeTimeout: Millis;
  /** PEM certificates trusted besides the system's, for rtmps. */
  readonly extraCa: string | undefined;
  /** False accepts any certificate. */
  readonly verifyCertificate: boolean;
  /** Asked for each address that DNS gave; the answer holds for the address used. */
  readonly mayConnect: MayConnect;
}

/** What the server's answer to `connect` says it can take (Enhanced RTMP v2). */
export interface ServerCapabilities {
  readonly videoFourCc: readonly string[];
  readonly audioFourCc: readonly string[];
}

/** Why a connection could not publish or ended. Codes: see `contract/failures.ts`. */
export type RtmpFailure = FailureValue;

export interface RtmpPublisherHandlers {
  /** The server accepted `publish`; tags may be written. */
  onPublishing(capabilities: ServerCapabilities): void;
  /** The socket took everything; `backlog()` is low again. */
  onDrain(): void;
  /**
   * Called once, also after `close()` (then with code `stopped`). `silentFor`: the peer had been taking
   * nothing for so long; 0 when that is not why it ended.
   */
  onClosed(failure: RtmpFailure, silentFor: Millis): void;
}

/** One connection that publishes one stream to one RTMP server. */
export interface RtmpPublisher {
  /**
   * Sends a tag with its timestamp in whole milliseconds from the start of the push (may be > 2^32;
   * wraps on the wire). Only after `onPublishing`. False when the socket's buffer is full: the tag is
   * queued whole all the same, and the caller should hold back until `onDrain`.
   */
  write(tag: FlvTag, timestamp: Millis): boolean;
  /** Time-driven work, about every 20 ms: small tags that wait for a large one leave after 60 ms at the latest. */
  tick(now: Micros): void;
  /** Bytes accepted by `write` that the peer's TCP has not yet taken. */
  backlog(): number;
  /** True while pictures that `write` took may still be read, because they have not left yet. */
  holdsPictures(): boolean;
  /** Bytes handed to the socket since the start. */
  bytesSent(): number;
  /** Ends with FCUnpublish and deleteStream when the connection still works. Idempotent. */
  close(): void;
}
