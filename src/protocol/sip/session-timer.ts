/** Proofs of life within a call (RFC 4028). */
import { type Micros, micros } from "../../base/time.ts";
import type { SipHeader, SipHeaders } from "./message.ts";

const SECOND = 1_000_000;
const SMALLEST = 90;
/** Who does not refresh hears nothing more from us this long before the session expires (section 10). */
const MARGIN = 32;

/** `Session-Expires: 1800;refresher=uac`. */
function parseExpires(headers: SipHeaders): { seconds: number; refresher: string } | undefined {
  const [, seconds, rest = ""] =
    /^(\d{1,8})\s*(;.*)?$/s.exec(headers.get("session-expires") ?? "") ?? [];
  if (seconds === undefined) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)/i.exec(rest)?.[1]?.toLowerCase() ?? "";
  return { seconds: Number(seconds), refresher };
}

/** What the timer asks for. */
export type SessionTimerDue = "refresh" | "expired" | undefined;

export class SessionTimer {
  #wanted: number;
  #smallest = SMALLEST;
  #interval = 0;
  #ours = false;
  #since: Micros = micros(0);
  /** A refresh is under way. */
  #asked = false;

  /** `seconds` is what we offer. */
  constructor(seconds: number) {
    this.#wanted = seconds;
  }

  /** Fields of an INVITE or UPDATE of ours. */
  offer(): SipHeader[] {
    const refresher = this.#interval === 0 ? "" : `;refresher=${this.#ours ? "uac" : "uas"}`;
    const seconds = this.#interval === 0 ? this.#wanted : this.#interval;
    return [
      { name: "Supported", value: "timer" },
      { name: "Session-Expires", value: `${seconds}${refresher}` },
      { name: "Min-SE", value: String(this.#smallest) },
    ];
  }

  /** A 422 says that the interval is too small for a proxy; false when it cannot be helped. */
  onTooSmall(headers: SipHeaders): boolean {
    const least = Number(/^\d{1,8}/.exec(headers.get("min-se") ?? "")?.[0] ?? 0);
    if (least <= this.#smallest || least > 86_400) return false;
    this.#smallest = least;
    this.#wanted = Math.max(this.#wanted, least);
    if (this.#interval > 0) this.#interval = Math.max(this.#interval, least);
    return true;
  }

  /** The answer to an INVITE or UPDATE of ours. */
  onAnswer(headers: SipHeaders, now: Micros): void {
    const expires = parseExpires(headers);
    this.#begin(expires?.seconds ?? 0, expires?.refresher !== "uas", now);
  }

  /** A request of the other side; returns the fields of our answer. */
  onRequest(headers: SipHeaders, now: Micros): SipHeader[] {
    const expires = parseExpires(headers);
    if (expires === undefined) {
      if (this.#interval > 0) this.#begin(this.#interval, this.#ours, now);
      return [];
    }
    // In this request the other side is the client; unless it says otherwise it goes on refreshing.
    const ours = expires.refresher === "uas";
    this.#begin(Math.max(expires.seconds, SMALLEST), ours, now);
    return [
      { name: "Require", value: "timer" },
      { name: "Session-Expires", value: `${this.#interval};refresher=${ours ? "uas" : "uac"}` },
    ];
  }

  /** `refresh` once for every refresh of ours that is due. */
  due(now: Micros): SessionTimerDue {
    if (this.#interval === 0) return undefined;
    const passed = (now - this.#since) / SECOND;
    if (this.#ours && !this.#asked && passed >= this.#interval / 2) {
      this.#asked = true;
      return "refresh";
    }
    const margin = Math.min(MARGIN, this.#interval / 3);
    return passed >= this.#interval - margin ? "expired" : undefined;
  }

  /** The refresh met another request; it is to be tried again in `wait` microseconds. */
  postpone(now: Micros, wait: number): void {
    this.#asked = false;
    this.#since = micros(now + wait - (this.#interval * SECOND) / 2);
  }

  #begin(seconds: number, ours: boolean, now: Micros): void {
    this.#interval = seconds;
    this.#ours = ours;
    this.#since = now;
    this.#asked = false;
  }
}
