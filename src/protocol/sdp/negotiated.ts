/** The outcome of an offer and our answer (RFC 9429): which RTP carries what. */
import type { ClockRate } from "../../base/time.ts";

/** Codecs that a negotiated track may carry. */
export type NegotiatedCodec = "h264" | "vp8" | "vp9" | "av1" | "opus" | "pcma" | "pcmu" | "speex";

/** One media section of which we receive (publish) or send (play) RTP. */
export interface NegotiatedTrack {
  readonly kind: "video" | "audio";
  /** `a=mid`, or the index of the section when the offer had none. */
  readonly mid: string;
  readonly codec: NegotiatedCodec;
  readonly payloadType: number;
  readonly clockRate: ClockRate;
  /** Channels that the sender says it is likely to send; 1 when it says nothing. */
  readonly channels: 1 | 2;
  /** Payload type of retransmissions (RFC 4588) for `payloadType`, when negotiated. */
  readonly rtxPayloadType: number | undefined;
  /** Feedback both sides agreed on. */
  readonly feedback: {
    readonly nack: boolean;
    readonly pli: boolean;
    readonly fir: boolean;
    readonly remb: boolean;
    readonly transportCc: boolean;
  };
  /** SSRCs the offer declared for this section, primary first; empty when it declared none. */
  readonly ssrcs: readonly number[];
  /** Header extension ids in use, both sides. */
  readonly extensions: {
    readonly mid: number | undefined;
    readonly rid: number | undefined;
    readonly repairedRid: number | undefined;
    readonly transportSequence: number | undefined;
    readonly absSendTime: number | undefined;
  };
  /** Simulcast layers agreed on (`a=rid`), in no order that says which is best; empty without simulcast. */
  readonly rids: readonly string[];
}
