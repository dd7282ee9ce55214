import type { Socket } from "node:net";
import { Slab } from "../../base/slab.ts";

/**
 * So many ticks of 10 ms: 30 pictures a second follow each other faster; more would be heard as latency.
 */
const MOST_TICKS = 4;
/** What is smaller is copied: for the socket each piece is more work than so many bytes. */
const SMALL_BYTES = 2048;
/** Of all connections, because what lies in it has left in a moment. */
const ROOM = new Slab();

/**
 * Lets small messages wait for the next large one, because a system call costs the same for both: more
 * than half of all messages are sound. What waits leaves in order, and after `MOST_TICKS` at the latest.
 */
export class Gathering {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #ticks = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** These wait until `release`. */
  hold(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#bytes += piece.byteLength;
    }
  }

  /** About every 10 ms; true when what waits has waited long enough. */
  tick(): boolean {
    if (this.#bytes === 0) return false;
    this.#ticks += 1;
    return this.#ticks >= MOST_TICKS;
  }

  /** What waits leaves by `socket` in one system call; nothing does when that is closed. */
  release(socket: Socket): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    this.#ticks = 0;
    if (pieces.length === 0 || socket.destroyed) return;
    socket.cork();
    for (let at = 0; at < pieces.length; ) {
      const end = endOfSmall(pieces, at);
      socket.write(end > at + 1 ? join(pieces, at, end) : (pieces[at] as Uint8Array));
      at = Math.max(end, at + 1);
    }
    socket.uncork();
  }
}

/** Where the row of small pieces that begins at `from` ends; `from` itself when there is none. */
function endOfSmall(pieces: readonly Uint8Array[], from: number): number {
  let end = from;
  while (end < pieces.length && (pieces[end] as Uint8Array).byteLength < SMALL_BYTES) end += 1;
  return end;
}

function join(pieces: readonly Uint8Array[], from: number, to: number): Uint8Array {
  let size = 0;
  for (let i = from; i < to; i += 1) size += (pieces[i] as Uint8Array).byteLength;
  const joined = ROOM.take(size);
  let at = 0;
  for (let i = from; i < to; i += 1) {
    const piece = pieces[i] as Uint8Array;
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}
