/** Keeps us registered while a call needs it (RFC 3261, section 10). */
import { type Micros, micros } from "../../base/time.ts";
import { type CallEnd, callEnd, refusal } from "./call-end.ts";
import { contactOf, type SipIdentity } from "./identity.ts";
import { type SipResponse, toBody } from "./message.ts";
import type { Requester } from "./requester.ts";
import { parseNameAddress } from "./uri.ts";

export interface RegistrationOptions {
  /** `sip:domain`. */
  readonly registrar: string;
  /** Address of record with our tag. */
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly contactUser: string;
  readonly route: string | undefined;
  /** Seconds asked for. */
  readonly expires: number;
}

export interface RegistrationEvents {
  /** The first time. */
  onRegistered(now: Micros): void;
  /** Registering is not possible. */
  onRefused(end: CallEnd, now: Micros): void;
}

const SECOND = 1_000_000;
const LEAST = 30;
const MOST = 86_400;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #identity: SipIdentity;
  readonly #requester: Requester;
  readonly #events: RegistrationEvents;
  #expires: number;
  #cseq = 0;
  #state: "idle" | "asking" | "registered" | "leaving" | "gone" = "idle";
  #reported = false;
  #refreshAt: Micros | undefined;

  constructor(
    options: RegistrationOptions,
    identity: SipIdentity,
    requester: Requester,
    events: RegistrationEvents,
  ) {
    this.#options = options;
    this.#identity = identity;
    this.#requester = requester;
    this.#events = events;
    this.#expires = options.expires;
  }

  /** Nothing is registered and nothing under way. */
  get gone(): boolean {
    return this.#state === "idle" || this.#state === "gone";
  }

  start(now: Micros): void {
    this.#state = "asking";
    this.#ask(this.#expires, now);
  }

  /** Takes the registration back. */
  stop(now: Micros): void {
    if (this.#state === "registered") {
      this.#state = "leaving";
      this.#ask(0, now);
    } else if (this.#state !== "leaving") this.#state = "gone";
  }

  tick(now: Micros): void {
    if (this.#state !== "registered" || now < (this.#refreshAt ?? Infinity)) return;
    this.#refreshAt = undefined;
    this.#ask(this.#expires, now);
  }

  #ask(expires: number, now: Micros): void {
    const { registrar, from, to, callId, contactUser, route } = this.#options;
    this.#requester.request(
      {
        method: "REGISTER",
        uri: registrar,
        headers: [
          ...(route === undefined ? [] : [{ name: "Route", value: route }]),
          { name: "From", value: from },
          { name: "To", value: to },
          { name: "Call-ID", value: callId },
          { name: "Contact", value: contactOf(this.#identity, contactUser) },
          { name: "Expires", value: String(expires) },
        ],
        body: toBody(undefined),
        hop: undefined,
        nextCSeq: () => {
          this.#cseq += 1;
          return this.#cseq;
        },
      },
      {
        onFinal: (response, at) => this.#onFinal(response, at),
        onTimeout: (at) => this.#onRefused(callEnd("unreachable"), at),
      },
      now,
    );
  }

  #onFinal(response: SipResponse, now: Micros): void {
    if (this.#state === "leaving" || this.#state === "gone") {
      this.#state = "gone";
      return;
    }
    if (response.status < 300) {
      this.#state = "registered";
      const granted = this.#granted(response);
      this.#refreshAt = micros(now + Math.max(LEAST, granted * 0.8) * SECOND);
      if (!this.#reported) this.#events.onRegistered(now);
      this.#reported = true;
      return;
    }
    const least = Number(/^\d{1,8}$/.exec(response.headers.get("min-expires") ?? "")?.[0] ?? 0);
    if (response.status === 423 && least > this.#expires && least <= MOST) {
      this.#expires = least;
      this.#ask(least, now);
    } else this.#onRefused(refusal(response), now);
  }

  /** The registrar says it of our Contact, or of all. */
  #granted({ headers }: SipResponse): number {
    const own = parseNameAddress(contactOf(this.#identity, this.#options.contactUser)).uri;
    const mine = headers.list("contact").find((contact) => contact.includes(own));
    const parameter =
      mine === undefined ? undefined : parseNameAddress(mine).parameters.get("expires");
    const seconds = Number(parameter ?? headers.get("expires") ?? this.#expires);
    return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, MOST) : this.#expires;
  }

  #onRefused(end: CallEnd, now: Micros): void {
    const before = this.#state;
    this.#state = "gone";
    if (before === "asking" || before === "registered") this.#events.onRefused(end, now);
  }
}
