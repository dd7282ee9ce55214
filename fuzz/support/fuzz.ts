/** The loop of every fuzz driver, and mutations of known good input. */
import { ProtocolError } from "../../src/base/protocol-error.ts";
import { seededRandom } from "../../test/support/simulated-publisher.ts";

/** Memory, all in all, that no target may come near. */
const MAX_RSS = 1 << 30;
/** One round that takes longer than this is a finding too: a stalled event loop stops every stream. */
const SLOWEST_ROUND_MS = 2000;
const DEFAULT_SECONDS = 60;

/** Chance for one round: the same seed gives the same round. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from 0 up to but not including `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  bytes(most: number): Uint8Array {
    return Uint8Array.from({ length: this.below(most + 1) }, () => this.below(256));
  }
}

/**
 * `node --import tsx fuzz/<target>.ts [seconds] [seed]`: runs rounds until the time is over; with a seed,
 * that round alone. A round that throws, stalls or fills the memory is printed with its seed, and the
 * process ends with code 1.
 */
export function fuzz(round: (chance: Chance) => void): void {
  const [seconds, only] = process.argv.slice(2).map(Number);
  if (only !== undefined) {
    round(new Chance(only));
    console.log(`seed ${only}: nothing found`);
    return;
  }
  const first = Math.floor(Math.random() * 2 ** 31);
  const until = Date.now() + (seconds ?? DEFAULT_SECONDS) * 1000;
  let rounds = 0;
  for (; Date.now() < until; rounds += 1) attempt(round, first + rounds);
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`${rounds} rounds from seed ${first}: nothing found, ${megabytes} MB`);
}

function attempt(round: (chance: Chance) => void, seed: number): void {
  const begin = performance.now();
  try {
    round(new Chance(seed));
    const took = performance.now() - begin;
    if (took > SLOWEST_ROUND_MS) throw new Error(`the round took ${Math.round(took)} ms`);
    if (process.memoryUsage.rss() > MAX_RSS) throw new Error("the process takes too much memory");
  } catch (error) {
    console.error(`seed ${seed} found:`, error);
    process.exit(1);
  }
}

/** The result of `action`, or undefined when the input broke a rule; anything else is a finding. */
export function unlessRuleBroken<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xc0, 0xff];

/** `seed` with up to eight bytes, runs of bytes or pieces changed. */
export function mutate(chance: Chance, seed: Uint8Array): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed);
  for (let i = chance.below(9); i > 0; i -= 1) bytes = mutateOnce(chance, bytes);
  return bytes;
}

function mutateOnce(chance: Chance, bytes: Uint8Array): Uint8Array {
  const at = chance.below(bytes.length + 1);
  const length = chance.below(chance.oneIn(4) ? bytes.length + 1 : 9);
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(at);
  switch (chance.below(6)) {
    case 0:
      return join(head, chance.bytes(8), tail);
    case 1:
      return join(head, tail.subarray(length));
    case 2:
      return join(head, tail.subarray(0, length), tail);
    case 3:
      return head.slice();
    case 4:
      return replace(bytes, at, chance.pick(INTERESTING));
    default:
      return replace(bytes, at, (bytes[at] ?? 0) ^ (1 << chance.below(8)));
  }
}

const replace = (bytes: Uint8Array, at: number, value: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? value : byte));

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** Calls `take` with `bytes` in pieces of any length. */
export function inPieces(
  chance: Chance,
  bytes: Uint8Array,
  take: (piece: Uint8Array) => void,
): void {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + chance.below(chance.oneIn(3) ? bytes.length : 20);
    take(bytes.slice(at, at + length));
    at += length;
  }
}

/** `text` with lines or parts of lines changed, copied, cut and repeated. */
export function mutateText(chance: Chance, text: string, separator: string | RegExp): string {
  const parts = text.split(separator);
  for (let i = chance.below(9); i > 0; i -= 1) {
    const at = chance.below(parts.length + 1);
    const some = chance.pick(parts) ?? "";
    const cut = some.slice(0, chance.below(some.length + 1));
    const changed = [
      some,
      cut,
      cut.repeat(chance.below(chance.oneIn(50) ? 5000 : 4)),
      noise(chance),
    ];
    parts.splice(at, chance.below(3), ...(chance.oneIn(3) ? [] : [chance.pick(changed)]));
  }
  return parts.join(typeof separator === "string" ? separator : "");
}

const ODD = [
  "",
  " ",
  "\r",
  "\0",
  "-1",
  "4294967296",
  "1e999",
  "*",
  "=",
  ";",
  ":",
  "/",
  "é",
  "\u{1f3a5}",
];

const noise = (chance: Chance): string =>
  Array.from({ length: chance.below(20) }, () => chance.pick(ODD)).join("");
