import type { SipResponse } from "./message.ts";

/** How a call came to its end. */
export type CallEndKind =
  /** Ended by us. */
  | "stopped"
  | "hungUp"
  | "busy"
  | "refused"
  | "authFailed"
  | "noAnswer"
  | "unreachable"
  /** Nothing in common, or a session description that cannot be read. */
  | "media";

export interface CallEnd {
  readonly kind: CallEndKind;
  /** The status that ended it; 0 without one. */
  readonly status: number;
  /** For a person. The callee's words are not repeated. */
  readonly text: string;
}

const KINDS: Readonly<Record<number, CallEndKind>> = {
  401: "authFailed",
  407: "authFailed",
  408: "noAnswer",
  480: "noAnswer",
  486: "busy",
  488: "media",
  600: "busy",
  606: "media",
};

const WORDS: Readonly<Record<CallEndKind, string>> = {
  stopped: "ended on request",
  hungUp: "the other side hung up",
  busy: "the callee is busy",
  refused: "the call was refused",
  authFailed: "the credentials were rejected",
  noAnswer: "the callee did not answer",
  unreachable: "the SIP server does not answer",
  media: "no media in common with the callee",
};

export function callEnd(kind: CallEndKind, status = 0): CallEnd {
  return { kind, status, text: status === 0 ? WORDS[kind] : `${WORDS[kind]} (SIP ${status})` };
}

/** What a final refusal means. */
export const refusal = ({ status }: SipResponse): CallEnd =>
  callEnd(KINDS[status] ?? "refused", status);
