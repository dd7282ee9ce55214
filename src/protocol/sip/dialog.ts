import { ProtocolError } from "../../base/protocol-error.ts";
import { contactOf, type Hop, type SipIdentity } from "./identity.ts";
import { type SipHeader, type SipRequest, type SipResponse, toBody } from "./message.ts";
import type { OutgoingRequest } from "./requester.ts";
import { parseNameAddress, parseSipUri } from "./uri.ts";
import { parseCSeq } from "./via.ts";

/** Our side of a call before the callee is known. */
export interface CallParty {
  readonly callId: string;
  /** From with our tag, and To without one. */
  readonly from: string;
  readonly to: string;
  readonly localTag: string;
  readonly contactUser: string;
  /** Everything goes through the server of the call, whatever the other side's Contact says. */
  readonly fixedHop: boolean;
}

/** Counts the requests of one side of a dialog. */
export class Sequence {
  #last: number;

  constructor(first: number) {
    this.#last = first - 1;
  }

  get last(): number {
    return this.#last;
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

const MAX_ROUTES = 16;

/** A dialog that our INVITE made (RFC 3261, section 12). */
export class Dialog {
  readonly remoteTag: string;
  readonly #identity: SipIdentity;
  readonly #party: CallParty;
  readonly #sequence: Sequence;
  readonly #to: string;
  readonly #routes: readonly string[];
  #target: string;
  #remoteCSeq = -1;

  /** Throws `ProtocolError` `sip.dialog` or `sip.address`. */
  constructor(identity: SipIdentity, party: CallParty, sequence: Sequence, response: SipResponse) {
    this.#identity = identity;
    this.#party = party;
    this.#sequence = sequence;
    this.#to = response.headers.get("to") ?? "";
    this.remoteTag = remoteTagOf(response);
    this.#routes = response.headers.list("record-route").reverse();
    if (this.#routes.length > MAX_ROUTES) throw new ProtocolError("sip.dialog", "too many routes");
    const [contact] = response.headers.list("contact");
    this.#target = contact === undefined ? parseNameAddress(this.#to).uri : uriOf(contact);
  }

  /** Whether a request of the other side is of this dialog. */
  matches(request: SipRequest): boolean {
    const tag = (name: "from" | "to"): string | undefined =>
      parseNameAddress(request.headers.get(name) ?? "").parameters.get("tag");
    return (
      request.headers.get("call-id") === this.#party.callId &&
      tag("to") === this.#party.localTag &&
      tag("from") === this.remoteTag
    );
  }

  /** False for a request that is older than one before (RFC 3261, 12.2.2). */
  inOrder(request: SipRequest): boolean {
    const { number } = parseCSeq(request);
    if (number < this.#remoteCSeq) return false;
    this.#remoteCSeq = number;
    return true;
  }

  /** The other side may move with every INVITE and UPDATE, and their answers. */
  retarget(message: SipRequest | SipResponse): void {
    const [contact] = message.headers.list("contact");
    if (contact !== undefined) this.#target = uriOf(contact);
  }

  /** `cseq` is given for an ACK only. */
  request(
    method: string,
    headers: readonly SipHeader[],
    body: string | undefined,
    cseq?: number,
  ): OutgoingRequest {
    const { uri, routes } = this.#path();
    return {
      method,
      uri,
      headers: [
        ...routes.map((value) => ({ name: "Route", value })),
        { name: "From", value: this.#party.from },
        { name: "To", value: this.#to },
        { name: "Call-ID", value: this.#party.callId },
        { name: "Contact", value: contactOf(this.#identity, this.#party.contactUser) },
        ...headers,
      ],
      body: toBody(body),
      hop: this.#hop(routes[0] === undefined ? uri : parseNameAddress(routes[0]).uri),
      nextCSeq: () => cseq ?? this.#sequence.next(),
    };
  }

  /** Routers of before RFC 3261 want to stand in the request line themselves (12.2.1.1). */
  #path(): { readonly uri: string; readonly routes: readonly string[] } {
    const [first, ...others] = this.#routes;
    if (first === undefined) return { uri: this.#target, routes: [] };
    const { uri } = parseNameAddress(first);
    if (parseSipUri(uri).parameters.has("lr")) return { uri: this.#target, routes: this.#routes };
    return { uri, routes: [...others, `<${this.#target}>`] };
  }

  #hop(uri: string): Hop | undefined {
    if (this.#party.fixedHop) return undefined;
    const { host, port } = parseSipUri(uri);
    return { host, port: port ?? 5060 };
  }
}

/** Throws `ProtocolError` `sip.dialog` when the callee gave none. */
export function remoteTagOf(response: SipResponse): string {
  const tag = parseNameAddress(response.headers.get("to") ?? "").parameters.get("tag");
  if (tag === undefined) throw new ProtocolError("sip.dialog", "an answer without a tag in To");
  return tag;
}

function uriOf(contact: string): string {
  const { uri } = parseNameAddress(contact);
  parseSipUri(uri);
  return uri;
}
