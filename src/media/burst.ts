/** Datagrams of one publisher that wait to be worked off together. */
import { type Micros, micros } from "../base/time.ts";

const MOST = 32;
/** A pacer spreads the packets of one picture: whoever comes so long after the first waits for no other. */
const LONGEST = micros(5_000);
const NOTHING = new Uint8Array(0);

/**
 * Holds datagrams until one comes that ends a picture, by the marker bit of RTP (RFC 3550, 5.1), which lies in
 * the second byte, where RTCP always has it: a picture cannot be sent before, and packets that follow each
 * other find all that they need in the processor's caches. Where nothing follows, the owner's tick has to `drain`.
 */
export class Burst {
  readonly #datagrams = new Array<Uint8Array>(MOST).fill(NOTHING);
  readonly #arrivals = new Float64Array(MOST);
  #count = 0;

  get empty(): boolean {
    return this.#count === 0;
  }

  /** Takes a datagram that came at `arrival`; true when all are to be worked off now. */
  add(datagram: Uint8Array, arrival: Micros): boolean {
    this.#datagrams[this.#count] = datagram;
    this.#arrivals[this.#count] = arrival;
    this.#count += 1;
    const marked = ((datagram[1] ?? 0) & 0x80) !== 0;
    return marked || this.#count === MOST || arrival - (this.#arrivals[0] as number) >= LONGEST;
  }

  /** Gives all of them, oldest first, and forgets them. `take` must not `add`. */
  drain(take: (datagram: Uint8Array, arrival: Micros) => void): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i += 1) {
      const datagram = this.#datagrams[i] as Uint8Array;
      this.#datagrams[i] = NOTHING;
      take(datagram, this.#arrivals[i] as Micros);
    }
  }
}
