import { type Micros, micros } from "../../base/time.ts";
import {
  SipHeaders,
  type SipRequest,
  type SipResponse,
  toBody,
  writeSipMessage,
} from "./message.ts";
import { after, T1, T2, T4, TRANSACTION_LIFE } from "./times.ts";
import { parseCSeq } from "./via.ts";

/** What became of a response or of the time that passed. */
export type TransactionVerdict = "provisional" | "final" | "repeated" | "timeout" | undefined;

/**
 * One request on its way (RFC 3261, section 17.1): sent again over UDP until there is an answer, refused
 * INVITEs acknowledged, repeated answers absorbed.
 */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly #bytes: Uint8Array;
  readonly #reliable: boolean;
  readonly #send: (bytes: Uint8Array) => void;
  #state: "calling" | "proceeding" | "completed" | "ended" = "calling";
  #interval: number = T1;
  #resendAt: Micros;
  #deadline: Micros;
  #ack: Uint8Array | undefined;

  constructor(
    request: SipRequest,
    reliable: boolean,
    send: (bytes: Uint8Array) => void,
    now: Micros,
  ) {
    this.request = request;
    this.#reliable = reliable;
    this.#send = send;
    this.#bytes = writeSipMessage(request);
    this.#resendAt = after(now, T1);
    this.#deadline = after(now, TRANSACTION_LIFE);
    send(this.#bytes);
  }

  /** A provisional answer has come, so that an INVITE may be cancelled (RFC 3261, 9.1). */
  get proceeding(): boolean {
    return this.#state === "proceeding";
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  get #invite(): boolean {
    return this.request.method === "INVITE";
  }

  /** A response whose branch and method are ours. */
  onResponse(response: SipResponse, now: Micros): TransactionVerdict {
    if (this.#state === "completed" || this.#state === "ended") {
      if (this.#ack !== undefined) this.#send(this.#ack);
      return "repeated";
    }
    if (response.status < 200) {
      this.#state = "proceeding";
      this.#interval = T2;
      return "provisional";
    }
    this.#complete(response, now);
    return "final";
  }

  /** Sends again what is due; `timeout` once when no answer will come. */
  tick(now: Micros): TransactionVerdict {
    if (this.#state === "ended") return undefined;
    if (this.#state === "completed") {
      if (now >= this.#deadline) this.#state = "ended";
      return undefined;
    }
    // An INVITE that rings may ring for long: its user decides when it is enough.
    if (this.#invite && this.#state === "proceeding") return undefined;
    if (now >= this.#deadline) {
      this.#state = "ended";
      return "timeout";
    }
    if (this.#reliable || now < this.#resendAt) return undefined;
    this.#send(this.#bytes);
    this.#interval = this.#invite ? this.#interval * 2 : Math.min(this.#interval * 2, T2);
    this.#resendAt = after(now, this.#interval);
    return undefined;
  }

  #complete(response: SipResponse, now: Micros): void {
    if (this.#invite && response.status < 300) {
      // The acknowledgement of a success is the dialog's, on a transaction of its own.
      this.#state = "ended";
      return;
    }
    if (this.#invite) {
      this.#ack = writeSipMessage(acknowledge(this.request, response));
      this.#send(this.#ack);
    }
    this.#state = "completed";
    const linger = this.#invite ? TRANSACTION_LIFE : T4;
    this.#deadline = this.#reliable ? now : micros(now + linger);
  }
}

/** The ACK of a refused INVITE (RFC 3261, 17.1.1.3). */
function acknowledge(invite: SipRequest, response: SipResponse): SipRequest {
  const keep = ["from", "call-id", "max-forwards", "route", "user-agent"];
  const via = invite.headers.all.filter(({ name }) => name.toLowerCase() === "via").slice(0, 1);
  const kept = invite.headers.all.filter(({ name }) => keep.includes(name.toLowerCase()));
  const to = response.headers.get("to") ?? invite.headers.get("to") ?? "";
  const { number } = parseCSeq(invite);
  const headers = [...via, ...kept, { name: "To", value: to }];
  headers.push({ name: "CSeq", value: `${number} ACK` });
  return { ...invite, method: "ACK", headers: new SipHeaders(headers), body: toBody(undefined) };
}
