/** How much of what was sent the kernel still holds, from its own tables. Linux only. */
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

const TABLES = { IPv4: "/proc/net/tcp", IPv6: "/proc/net/tcp6" } as const;
type Family = keyof typeof TABLES;
/** Those who ask within this time share one look, milliseconds: the kernel walks all its sockets for each. */
const GATHER_MS = 100;
/** `slot: local:port remote:port state send:receive` in hexadecimal (proc_net_tcp.txt of the kernel). */
const ROW = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm;

/** Unacknowledged bytes by port pair; undefined for a pair that is there twice. */
type Queues = ReadonlyMap<string, number | undefined>;

const next: Partial<Record<Family, Promise<Queues>>> = {};

/**
 * Bytes of `socket` that its peer has not acknowledged, as of a moment after the call; 0 when that
 * cannot be known here. Never rejects.
 */
export async function unacknowledgedBytes(socket: Socket): Promise<number> {
  const family = socket.localFamily === "IPv6" ? "IPv6" : "IPv4";
  next[family] ??= look(family);
  const queues = await next[family];
  return queues.get(`${socket.localPort}:${socket.remotePort}`) ?? 0;
}

async function look(family: Family): Promise<Queues> {
  await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
  delete next[family];
  const table = await readFile(TABLES[family], "latin1").catch(() => "");
  const queues = new Map<string, number | undefined>();
  for (const [, local = "", remote = "", send = ""] of table.matchAll(ROW)) {
    const pair = `${Number.parseInt(local, 16)}:${Number.parseInt(remote, 16)}`;
    queues.set(pair, queues.has(pair) ? undefined : Number.parseInt(send, 16));
  }
  return queues;
}
