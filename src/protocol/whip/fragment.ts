/** Bodies of type application/trickle-ice-sdpfrag (RFC 8840, section 9). */
import { ProtocolError } from "../../base/protocol-error.ts";

/** What a fragment tells about the ICE session of its sender. */
export interface SdpFragment {
  /** Undefined when the fragment does not repeat it. */
  readonly iceUfrag: string | undefined;
  readonly icePwd: string | undefined;
  readonly candidates: number;
  readonly endOfCandidates: boolean;
}

const MAX_LINES = 256;
const LINE = /^[am]=\S/;
const CANDIDATE = /^a=candidate:[^\s]+ \d+ [^\s]+ \d+ [^\s]+ \d+ typ [a-z]+( |$)/i;

/** Throws `ProtocolError` `whip.fragment.*`. */
export function parseSdpFragment(text: string): SdpFragment {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0) throw new ProtocolError("whip.fragment.empty", "an empty fragment");
  if (lines.length > MAX_LINES) {
    throw new ProtocolError("whip.fragment.long", `more than ${MAX_LINES} lines`);
  }
  const broken = lines.find((line) => !LINE.test(line) || isBrokenCandidate(line));
  if (broken !== undefined) {
    throw new ProtocolError("whip.fragment.line", "a line that is no part of an SDP fragment");
  }
  const value = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);
  return {
    iceUfrag: value("ice-ufrag"),
    icePwd: value("ice-pwd"),
    candidates: lines.filter((line) => CANDIDATE.test(line)).length,
    endOfCandidates: lines.includes("a=end-of-candidates"),
  };
}

const isBrokenCandidate = (line: string): boolean =>
  line.startsWith("a=candidate") && !CANDIDATE.test(line);
