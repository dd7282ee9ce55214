import { ProtocolError } from "../../base/protocol-error.ts";
import type { SipMessage } from "./message.ts";
import { parseParameters } from "./uri.ts";

export interface Via {
  /** Upper case, such as `UDP`. */
  readonly transport: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The topmost Via (RFC 3261, 20.42). Throws `ProtocolError` `sip.via`. */
export function topVia(message: SipMessage): Via {
  const [text = ""] = message.headers.list("via");
  const [, transport = "", rest = ""] = /^SIP\s*\/\s*2\.0\s*\/\s*(\w+)\s+(.*)$/is.exec(text) ?? [];
  if (transport === "") throw new ProtocolError("sip.via", "no Via, or a malformed one");
  return {
    transport: transport.toUpperCase(),
    parameters: parseParameters(rest.split(";").slice(1)),
  };
}

/** Number and method. Throws `ProtocolError` `sip.cseq`. */
export function parseCSeq(message: SipMessage): { number: number; method: string } {
  const [, number, method = ""] =
    /^(\d{1,10})\s+(\S+)$/.exec(message.headers.get("cseq") ?? "") ?? [];
  if (number === undefined || Number(number) > 0xffff_ffff) {
    throw new ProtocolError("sip.cseq", "no CSeq, or a malformed one");
  }
  return { number: Number(number), method };
}
