import type { CallEnd } from "./call-end.ts";

/** The media side of a call. Session descriptions are the other side's: not to be trusted. */
export interface CallMedia {
  /** Our session description, as an offer. */
  offer(): string;
  /** The answer to our offer. Throws `ProtocolError` when it is of no use. */
  onAnswer(sdp: string, early: boolean): void;
  /** Our answer to an offer of the other side. Throws `ProtocolError` when there is none. */
  onOffer(sdp: string): string;
}

export interface CallEvents {
  /** Every provisional answer. */
  onProgress(status: number): void;
  onEstablished(): void;
  /** Once. The goodbye may still be under way: go on until `over`. */
  onEnded(end: CallEnd): void;
}
