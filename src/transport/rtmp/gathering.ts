import type { Socket } from "node:net";
import { type Micros, micros } from "../../base/time.ts";

/** From the first tick on that finds it waiting: 30 pictures a second follow each other faster; more would be heard as latency. */
const LONGEST_WAIT = micros(30_000);
const ROOM_BYTES = 65_536;
/** Up to here what leaves together is copied to one place: for the socket each piece is more work than so many bytes. */
const MOST_COPIED = ROOM_BYTES / 2;
/** That place, of all connections: what the kernel takes at once, as nearly always, leaves it free again. */
let room = Buffer.allocUnsafeSlow(ROOM_BYTES);
/** Of this much somebody still has need. */
let used = 0;

/**
 * Lets small messages wait for the next large one, because a system call costs the same for both: more
 * than half of all messages are sound. What waits leaves in order, and after `LONGEST_WAIT` at the latest.
 */
export class Gathering {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #since: Micros | undefined;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** These wait until `release`. */
  hold(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
    }
  }

  /** About every 20 ms; true when what waits has waited long enough. */
  tick(now: Micros): boolean {
    if (this.#bytes === 0) return false;
    this.#since ??= now;
    return now - this.#since >= LONGEST_WAIT;
  }

  /** What waits leaves by `socket` in one system call; nothing does when that is closed. */
  release(socket: Socket): void {
    const pieces = this.#pieces;
    const bytes = this.#bytes;
    this.#pieces = [];
    this.#bytes = 0;
    this.#since = undefined;
    if (bytes === 0 || socket.destroyed) return;
    if (bytes <= MOST_COPIED) writeCopied(socket, pieces, bytes);
    else writeEach(socket, pieces);
  }
}

function writeCopied(socket: Socket, pieces: readonly Uint8Array[], bytes: number): void {
  if (used + bytes > ROOM_BYTES) {
    room = Buffer.allocUnsafeSlow(ROOM_BYTES);
    used = 0;
  }
  let at = used;
  for (const piece of pieces) {
    room.set(piece, at);
    at += piece.length;
  }
  socket.write(room.subarray(used, at));
  // What waits in the socket stays where it is.
  if (socket.writableLength > 0) used = at;
}

function writeEach(socket: Socket, pieces: readonly Uint8Array[]): void {
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
}
