import type { Micros } from "../../base/time.ts";
import { ClientTransaction } from "./client-transaction.ts";
import {
  answerChallenge,
  type Challenge,
  type Credentials,
  parseChallenge,
  strongest,
} from "./digest.ts";
import { type Hop, type SipIdentity, viaOf } from "./identity.ts";
import {
  type SipHeader,
  SipHeaders,
  type SipRequest,
  type SipResponse,
  toBody,
} from "./message.ts";
import { parseCSeq, topVia } from "./via.ts";

/** A request without what belongs to the single transaction: Via, CSeq, credentials. */
export interface OutgoingRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body: Uint8Array;
  readonly hop: Hop | undefined;
  /** Takes the next number of the dialog. */
  readonly nextCSeq: () => number;
}

export interface RequestHandlers {
  onProvisional?(response: SipResponse, now: Micros): void;
  /** The last answer; challenges that could be answered have been. */
  onFinal(response: SipResponse, now: Micros): void;
  /** No answer came. */
  onTimeout(now: Micros): void;
}

/** A request that was sent, whatever transactions it takes. */
export interface PendingRequest {
  /** Ends an INVITE by CANCEL as soon as that is allowed (RFC 3261, 9.1). */
  cancel(now: Micros): void;
  /** The number of the transaction of this moment. */
  readonly cseq: number;
}

/** Servers that challenge more often than this go round in circles. */
const MOST_CHALLENGES = 4;
const BRANCH = "z9hG4bK";

/** A challenge that was answered, and how often. */
interface Answered {
  readonly challenge: Challenge;
  uses: number;
}

class Pending implements PendingRequest {
  readonly out: OutgoingRequest;
  readonly handlers: RequestHandlers;
  readonly tried = new Map<string, string>();
  transaction: ClientTransaction | undefined;
  challenges = 0;
  cancelled = false;
  readonly #owner: Requester;

  constructor(owner: Requester, out: OutgoingRequest, handlers: RequestHandlers) {
    this.#owner = owner;
    this.out = out;
    this.handlers = handlers;
  }

  get cseq(): number {
    return this.transaction === undefined ? 0 : parseCSeq(this.transaction.request).number;
  }

  cancel(now: Micros): void {
    this.cancelled = true;
    this.#owner.cancel(this, now);
  }
}

const keyOf = ({ proxy, realm }: Challenge): string => `${proxy ? "p" : "w"} ${realm}`;

/** Sends requests, each in its transactions, and answers the challenges that they meet. */
export class Requester {
  readonly #identity: SipIdentity;
  readonly #credentials: Credentials;
  readonly #send: (bytes: Uint8Array, hop: Hop | undefined) => void;
  readonly #transactions = new Map<string, { transaction: ClientTransaction; pending: Pending }>();
  readonly #answered = new Map<string, Answered>();

  constructor(
    identity: SipIdentity,
    credentials: Credentials,
    send: (bytes: Uint8Array, hop: Hop | undefined) => void,
  ) {
    this.#identity = identity;
    this.#credentials = credentials;
    this.#send = send;
  }

  request(out: OutgoingRequest, handlers: RequestHandlers, now: Micros): PendingRequest {
    const pending = new Pending(this, out, handlers);
    this.#transact(pending, now);
    return pending;
  }

  /** Returns false when the response belongs to no transaction here. */
  onResponse(response: SipResponse, now: Micros): boolean {
    const branch = topVia(response).parameters.get("branch") ?? "";
    const { method } = parseCSeq(response);
    const found = this.#transactions.get(`${branch} ${method}`);
    if (found === undefined) return false;
    const { transaction, pending } = found;
    const verdict = transaction.onResponse(response, now);
    if (verdict === "provisional") {
      if (pending.cancelled) this.cancel(pending, now);
      else pending.handlers.onProvisional?.(response, now);
    } else if (verdict === "final") this.#onFinal(pending, response, now);
    return verdict !== "repeated" || response.status >= 300;
  }

  tick(now: Micros): void {
    for (const [key, { transaction, pending }] of this.#transactions) {
      if (transaction.tick(now) === "timeout") pending.handlers.onTimeout(now);
      if (transaction.ended) this.#transactions.delete(key);
    }
  }

  /** Has the INVITE of `pending` cancelled when that is possible now. */
  cancel(pending: Pending, now: Micros): void {
    const { transaction } = pending;
    if (transaction === undefined || !transaction.proceeding) return;
    const { request } = transaction;
    const key = `${topVia(request).parameters.get("branch")} CANCEL`;
    if (this.#transactions.has(key)) return;
    const keep = ["via", "from", "to", "call-id", "max-forwards", "route", "user-agent"];
    const kept = request.headers.all.filter(({ name }) => keep.includes(name.toLowerCase()));
    const cseq = { name: "CSeq", value: `${parseCSeq(request).number} CANCEL` };
    const cancel: SipRequest = {
      ...request,
      method: "CANCEL",
      headers: new SipHeaders([...kept, cseq]),
      body: toBody(undefined),
    };
    const ignore = { onFinal: () => undefined, onTimeout: () => undefined };
    const own = new Pending(this, pending.out, ignore);
    this.#open(key, own, cancel, now);
  }

  #transact(pending: Pending, now: Micros): void {
    const { out } = pending;
    const branch = `${BRANCH}${this.#identity.token()}`;
    const headers: SipHeader[] = [
      { name: "Via", value: viaOf(this.#identity, branch) },
      { name: "Max-Forwards", value: "70" },
      ...out.headers,
      { name: "CSeq", value: `${out.nextCSeq()} ${out.method}` },
      { name: "User-Agent", value: this.#identity.userAgent },
      ...this.#credentialsFor(pending),
    ];
    const { method, uri, body } = out;
    const request = {
      kind: "request",
      method,
      uri,
      headers: new SipHeaders(headers),
      body,
    } as const;
    this.#open(`${branch} ${method}`, pending, request, now);
  }

  #open(key: string, pending: Pending, request: SipRequest, now: Micros): void {
    const reliable = this.#identity.transport === "TCP";
    const send = (bytes: Uint8Array): void => this.#send(bytes, pending.out.hop);
    const transaction = new ClientTransaction(request, reliable, send, now);
    pending.transaction = transaction;
    this.#transactions.set(key, { transaction, pending });
  }

  /** Credentials for every challenge met so far; servers forget nonces, but then they say so. */
  #credentialsFor({ out, tried }: Pending): SipHeader[] {
    return [...this.#answered.values()].map((answered) => {
      const { challenge } = answered;
      answered.uses += 1;
      tried.set(keyOf(challenge), challenge.nonce);
      const use = { count: answered.uses, cnonce: this.#identity.token() };
      return {
        name: challenge.proxy ? "Proxy-Authorization" : "Authorization",
        value: answerChallenge(challenge, this.#credentials, out, use, this.#identity.hash),
      };
    });
  }

  #onFinal(pending: Pending, response: SipResponse, now: Micros): void {
    if ((response.status === 401 || response.status === 407) && this.#learn(pending, response)) {
      pending.challenges += 1;
      this.#transact(pending, now);
    } else pending.handlers.onFinal(response, now);
  }

  /** Takes the challenges of a response; false when trying again is useless. */
  #learn(pending: Pending, response: SipResponse): boolean {
    if (pending.cancelled || pending.challenges >= MOST_CHALLENGES) return false;
    const proxy = response.status === 407;
    const fields = response.headers.list(proxy ? "proxy-authenticate" : "www-authenticate");
    const challenges = fields
      .map((field) => parseChallenge(field, proxy))
      .filter((challenge) => challenge !== undefined);
    let fresh = false;
    for (const realm of new Set(challenges.map((challenge) => challenge.realm))) {
      const best = strongest(challenges.filter((challenge) => challenge.realm === realm));
      if (best === undefined) continue;
      const key = keyOf(best);
      const rejected = pending.tried.has(key) && pending.challenges > 0 && !best.stale;
      if (rejected) return false;
      this.#answered.set(key, { challenge: best, uses: 0 });
      fresh = true;
    }
    return fresh;
  }
}
