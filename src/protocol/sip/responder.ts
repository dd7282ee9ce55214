import { type Micros, micros } from "../../base/time.ts";
import type { Hop, SipIdentity } from "./identity.ts";
import { type SipHeader, SipHeaders, type SipRequest, toBody, writeSipMessage } from "./message.ts";
import { after, T1, T2, TRANSACTION_LIFE } from "./times.ts";
import { parseCSeq } from "./via.ts";

/** A request that waits for an answer of ours. */
export interface IncomingRequest {
  readonly request: SipRequest;
  readonly cseq: number;
  readonly from: Hop;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly SipHeader[];
  readonly body?: string | undefined;
  /** Tag for a To that has none. */
  readonly toTag?: string;
}

interface Served {
  readonly incoming: IncomingRequest;
  readonly until: Micros;
  bytes: Uint8Array | undefined;
}

interface AwaitedAck {
  readonly cseq: number;
  readonly bytes: Uint8Array;
  readonly to: Hop;
  readonly deadline: Micros;
  interval: number;
  resendAt: Micros;
}

/** More requests at once than a peer in its senses has under way. */
const MOST_SERVED = 32;

/** Answers requests, repeats answers to repeated requests (RFC 3261, 17.2) and awaits their ACK. */
export class Responder {
  readonly #identity: SipIdentity;
  readonly #send: (bytes: Uint8Array, to: Hop) => void;
  readonly #served = new Map<string, Served>();
  #awaited: AwaitedAck | undefined;

  constructor(identity: SipIdentity, send: (bytes: Uint8Array, to: Hop) => void) {
    this.#identity = identity;
    this.#send = send;
  }

  /** A new request to be answered; undefined for a repetition, which is dealt with here, and for an ACK. */
  accept(request: SipRequest, from: Hop, now: Micros): IncomingRequest | undefined {
    const cseq = parseCSeq(request);
    if (request.method === "ACK") {
      if (this.#awaited?.cseq === cseq.number) this.#awaited = undefined;
      return undefined;
    }
    const key = `${request.headers.list("via")[0] ?? ""} ${request.method}`;
    const known = this.#served.get(key);
    if (known !== undefined) {
      if (known.bytes !== undefined) this.#send(known.bytes, from);
      return undefined;
    }
    if (this.#served.size >= MOST_SERVED) return undefined;
    const incoming = { request, cseq: cseq.number, from };
    this.#served.set(key, { incoming, until: after(now, TRANSACTION_LIFE), bytes: undefined });
    return incoming;
  }

  answer(incoming: IncomingRequest, answer: Answer, now: Micros): void {
    const bytes = writeSipMessage({
      kind: "response",
      status: answer.status,
      reason: answer.reason,
      headers: new SipHeaders([
        ...echoed(incoming, answer.toTag),
        { name: "User-Agent", value: this.#identity.userAgent },
        ...(answer.headers ?? []),
      ]),
      body: toBody(answer.body),
    });
    for (const served of this.#served.values()) {
      if (served.incoming === incoming) served.bytes = bytes;
    }
    this.#send(bytes, incoming.from);
    if (incoming.request.method !== "INVITE" || answer.status >= 300) return;
    this.#awaited = {
      cseq: incoming.cseq,
      bytes,
      to: incoming.from,
      deadline: after(now, TRANSACTION_LIFE),
      interval: T1,
      resendAt: after(now, T1),
    };
  }

  /** True while the ACK of an accepted INVITE is missing. */
  get awaitsAck(): boolean {
    return this.#awaited !== undefined;
  }

  /** Repeats an accepted INVITE's answer; true when its ACK will not come any more. */
  tick(now: Micros): boolean {
    for (const [key, { until }] of this.#served) if (now >= until) this.#served.delete(key);
    const awaited = this.#awaited;
    if (awaited === undefined) return false;
    if (now >= awaited.deadline) {
      this.#awaited = undefined;
      return true;
    }
    if (now < awaited.resendAt) return false;
    this.#send(awaited.bytes, awaited.to);
    awaited.interval = Math.min(awaited.interval * 2, T2);
    awaited.resendAt = micros(now + awaited.interval);
    return false;
  }
}

/** Fields that an answer repeats (RFC 3261, 8.2.6.2), with where the request came from (RFC 3581). */
function echoed({ request, from }: IncomingRequest, toTag: string | undefined): SipHeader[] {
  const names = ["via", "from", "to", "call-id", "cseq", "record-route"];
  let vias = 0;
  return request.headers.all
    .filter(({ name }) => names.includes(name.toLowerCase()))
    .map(({ name, value }) => {
      const key = name.toLowerCase();
      if (key === "via") {
        vias += 1;
        return { name, value: vias === 1 ? withSource(value, from) : value };
      }
      const tagged = key !== "to" || toTag === undefined || /;\s*tag\s*=/i.test(value);
      return { name, value: tagged ? value : `${value};tag=${toTag}` };
    });
}

const withSource = (via: string, { host, port }: Hop): string =>
  via.replace(/;\s*rport(?=\s*(?:[;,]|$))/i, `;rport=${port};received=${host}`);
