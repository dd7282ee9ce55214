import { type Micros, micros } from "../../base/time.ts";

export interface MediaAddress {
  readonly address: string;
  readonly port: number;
}

/** A source that is silent for so long may be replaced by any other. */
const SILENCE = 2_000_000;

/**
 * Where the other side's media comes from, and so where ours goes: what it signalled, until its packets
 * say better, because of address translation on the way. Strangers get in only while nobody sends.
 */
export class SymmetricLatch {
  #signalled: MediaAddress | undefined;
  #latched: MediaAddress | undefined;
  #last: Micros = micros(0);

  /** Where to send; undefined while nothing is known. */
  get target(): MediaAddress | undefined {
    return this.#latched ?? this.#signalled;
  }

  /** What the session description says now. */
  signal(address: MediaAddress | undefined): void {
    const before = this.#signalled;
    const same = before?.address === address?.address && before?.port === address?.port;
    this.#signalled = address;
    if (!same) this.#latched = undefined;
  }

  /** Whether a packet that came from there is the other side's. */
  accept(address: string, port: number, now: Micros): boolean {
    const latched = this.#latched;
    const known = latched !== undefined && latched.address === address && latched.port === port;
    const silent = latched === undefined || now - this.#last > SILENCE;
    const promised = address === this.#signalled?.address;
    const better = promised && latched?.address !== address;
    if (!known && !silent && !better) return false;
    if (!known) this.#latched = { address, port };
    this.#last = now;
    return true;
  }
}
