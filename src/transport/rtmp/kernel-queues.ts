/** How much of what was sent the kernel still holds, from its own tables. Linux only. */
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
/** Those who ask within this time share one look, milliseconds. */
const GATHER_MS = 100;
/** `slot: local:port remote:port state send:receive` in hexadecimal (proc_net_tcp.txt of the kernel). */
const ROW = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm;

/** Unacknowledged bytes by port pair; undefined for a pair that is there twice. */
type Queues = ReadonlyMap<string, number | undefined>;

let next: Promise<Queues> | undefined;

/**
 * Bytes of `socket` that its peer has not acknowledged, as of a moment after the call; 0 when that
 * cannot be known here. Never rejects.
 */
export async function unacknowledgedBytes(socket: Socket): Promise<number> {
  next ??= look();
  const queues = await next;
  return queues.get(`${socket.localPort}:${socket.remotePort}`) ?? 0;
}

async function look(): Promise<Queues> {
  await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
  next = undefined;
  const tables = await Promise.all(TABLES.map((path) => readFile(path, "latin1").catch(() => "")));
  const queues = new Map<string, number | undefined>();
  for (const [, local = "", remote = "", send = ""] of tables.join("").matchAll(ROW)) {
    const pair = `${Number.parseInt(local, 16)}:${Number.parseInt(remote, 16)}`;
    queues.set(pair, queues.has(pair) ? undefined : Number.parseInt(send, 16));
  }
  return queues;
}
