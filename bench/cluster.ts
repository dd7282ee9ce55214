/**
 * How far a cluster goes: a real NATS server and one real node see what many nodes would write, in the real keys
 * and values. `--nodes N` (1000), `--streams S` of each (50), `--watchers W,W` (0,10,20), `--seconds T` (10).
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { LinkHandlers } from "../src/cluster/link.ts";
import { NatsLink } from "../src/cluster/nats/nats-link.ts";
import { keyOf, type Lease, leaseKey, type NodeId } from "../src/cluster/records.ts";
import type { MediaSessionId, StreamName, WorkerId } from "../src/contract/ids.ts";
import { streamView } from "../src/control/views.ts";
import { createLogger } from "../src/observe/logger.ts";
import { startNats } from "../test/support/nats.ts";
import { startServer, type TestServer, until } from "../test/support/server.ts";
import { freePort } from "../test/support/static-site.ts";
import { quantile, table } from "./support/table.ts";
import { familyOf, usageOf } from "./support/usage.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    streams: { type: "string", default: "50" },
    watchers: { type: "string", default: "0,10,20" },
    seconds: { type: "string", default: "10" },
  },
});
const [nodes, streams, seconds] = [values.nodes, values.streams, values.seconds].map(Number) as [
  number,
  number,
  number,
];
/** As every node does. */
const HEARTBEAT_MS = 2500;
const WRITES_AT_ONCE = 32;
const ROUTED = 300;
const LISTED = 10;
const MIB = 1 << 20;
const cluster = `b${randomBytes(4).toString("hex")}`;
const newNode = (): NodeId => randomBytes(10).toString("hex") as NodeId;

/** A connection of a node, as nodes have it; it keeps nothing of what it hears. */
async function join(port: number, node: NodeId): Promise<NatsLink> {
  const none = undefined;
  const link = new NatsLink(
    {
      servers: [`nats://127.0.0.1:${port}`],
      ...{ user: none, password: none, token: none, credentials: none, nkey: none, tls: none },
      ...{ cluster, replicas: 1, requestTimeoutMs: 5000 },
    },
    node,
    createLogger("warn"),
  );
  const ready = new Promise<void>((resolve) => {
    const handlers: LinkHandlers = {
      onContact: () => undefined,
      onEntry: () => undefined,
      onReady: resolve,
      onLost: () => undefined,
      onAsked: async () => ({ status: 200, body: "{}" }),
    };
    link.open(handlers, () => leaseOf(node));
  });
  await ready;
  return link;
}

function leaseOf(node: NodeId): string {
  const lease: Lease = {
    node,
    name: `node-${node.slice(0, 4)}`,
    http: "http://192.0.2.100:8081",
    ws: "ws://192.0.2.100:8080",
    ...{ streams, pushes: streams, room: 450, draining: false },
  };
  return JSON.stringify(lease);
}

function streamRecord(node: NodeId, name: string): { key: string; value: string } {
  const session = randomUUID() as MediaSessionId;
  const view = streamView({
    ...{ name: name as StreamName, session, createdAt: Date.now(), state: "live" },
    owner: { sessionId: session, appKey: "defaultApp", door: "wcs" },
    observer: { onLive: () => undefined, onEnded: () => undefined },
    worker: { id: "w1" as WorkerId, request: () => Promise.reject(new Error("none")) },
    bitrate: { start: 0, min: 0, max: 0 },
    ...{ hasAudio: true, hasVideo: true, rtmpUrl: undefined },
    ...{ audioCodec: "opus", videoCodec: "H264", width: 1280, height: 720 },
    ...{ audioMuted: false, videoMuted: false },
  });
  const value = JSON.stringify({ node, kind: "stream", id: name, view });
  return { key: keyOf("stream", name), value };
}

/** Waits for contact when there is none. */
async function write(link: NatsLink, { key, value }: { key: string; value: string }) {
  for (;;) {
    const written = await link.write(key, value, undefined).catch(() => undefined);
    if (written !== undefined) return;
    await sleep(100);
  }
}

/** Writes all, so many at once; resolves with seconds. */
async function writeAll(link: NatsLink, all: readonly { key: string; value: string }[]) {
  const start = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    for (let entry = all[next++]; entry !== undefined; entry = all[next++]) {
      await write(link, entry);
    }
  };
  await Promise.all(Array.from({ length: WRITES_AT_ONCE }, writer));
  return (performance.now() - start) / 1000;
}

/** Refreshes the leases of all, evenly, until it is told to end. */
function heartbeats(link: NatsLink, ids: readonly NodeId[]): () => void {
  const start = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - start) / HEARTBEAT_MS) * ids.length;
    for (; done < due; done += 1) {
      const node = ids[done % ids.length] as NodeId;
      link.write(leaseKey(node), leaseOf(node), undefined).catch(() => undefined);
    }
  }, 5);
  return () => clearInterval(timer);
}

interface Varz {
  readonly out_msgs: number;
  readonly out_bytes: number;
  readonly mem: number;
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

/** Processes that are not to be left behind, whatever happens. */
const started: number[] = [];
process.on("exit", () => {
  for (const pid of started) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended before.
    }
  }
});

const control = ({ pid }: TestServer) => usageOf([pid]);
const fixed = (n: number, digits = 0): string => n.toFixed(digits);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** When a line of the log was written, Unix milliseconds. */
function timeOf(server: TestServer, message: string): number | undefined {
  const line = server
    .output()
    .split("\n")
    .find((text) => text.includes(`"${message}"`));
  return line === undefined ? undefined : Date.parse((JSON.parse(line) as { time: string }).time);
}

/** What one real node sees and does. */
async function oneNode(natsPort: number, carried: readonly string[]): Promise<TestServer> {
  const server = await startServer({
    "cluster.nats_url": `nats://127.0.0.1:${natsPort}`,
    "cluster.name": cluster,
    rtmp_port: 0,
    http_max_requests_per_second: 0,
  });
  started.push(server.pid);
  const all = nodes * streams;
  await until("the whole cluster", async () => timeOf(server, "cluster reached")).catch((error) => {
    say(server.output());
    throw error;
  });
  const loaded = timeOf(server, "cluster reached") ?? 0;
  const before = timeOf(server, "worker ready") ?? 0;
  const lists: number[] = [];
  let bytes = 0;
  for (let i = 0; i < LISTED; i += 1) {
    const { ms, result } = await timed(async () =>
      (await fetch(`${server.httpUrl}/rest-api/stream/find_all`)).text(),
    );
    lists.push(ms);
    bytes = result.length;
    const found = (JSON.parse(result) as unknown[]).length;
    if (found !== all) say(`find_all has ${found} of ${all}`);
  }
  const finds: number[] = [];
  const routes: number[] = [];
  for (let i = 0; i < ROUTED; i += 1) {
    const name = carried[i % carried.length];
    finds.push((await timed(() => server.rest("/stream/find", { name }))).ms);
    const body = { streamName: name, rtmpUrl: "rtmp://192.0.2.1/live" };
    const { ms, result } = await timed(() => server.rest("/push/startup", body));
    if (result.status !== 200) throw new Error(`routing: ${result.status}`);
    routes.push(ms);
  }
  const milli = (all: readonly number[]): string =>
    `${fixed(quantile(all, 0.5), 1)} / ${fixed(quantile(all, 0.99), 1)} ms`;
  say(
    table(
      ["what one node does", "figure"],
      [
        ["learns all keys when it starts", `${fixed(loaded - before)} ms`],
        ["`/stream/find_all`, p50 / p99", milli(lists)],
        ["its answer", `${fixed(bytes / MIB, 1)} MiB`],
        ["`/stream/find` by name, p50 / p99", milli(finds)],
        ["an operation handed to another node, p50 / p99", milli(routes)],
        ["memory of the control process", `${fixed(control(server).residentBytes / MIB)} MiB`],
      ],
    ),
  );
  return server;
}

async function main(): Promise<void> {
  const monitor = await freePort();
  const nats = await startNats(["-m", `${monitor}`]);
  const varz = async (): Promise<Varz> =>
    (await (await fetch(`http://127.0.0.1:${monitor}/varz`)).json()) as Varz;
  const natsPid = familyOf(process.pid).find((pid) => pid !== process.pid) as number;
  started.push(natsPid);
  const self = newNode();
  const link = await join(nats.port, self);
  const ids = [self, ...Array.from({ length: nodes - 1 }, newNode)];
  const records = ids.flatMap((node) =>
    Array.from({ length: streams }, (_, i) => streamRecord(node, `room-${node.slice(0, 8)}-${i}`)),
  );
  const leases = ids.map((node) => ({ key: leaseKey(node), value: leaseOf(node) }));
  await writeAll(link, leases);
  const took = await writeAll(link, records);
  const sizes = [leases, records].map((all) => all[0]?.value.length ?? 0);
  say(`${nodes} nodes x ${streams} streams: ${leases.length + records.length} keys`);
  say(
    `a lease has ${sizes[0]} bytes, a stream ${sizes[1]}; ${fixed(records.length / took)} writes a second`,
  );
  const stop = heartbeats(link, ids);
  const carried = records.slice(0, streams).map((_, i) => `room-${self.slice(0, 8)}-${i}`);
  const server = await oneNode(nats.port, carried);

  const rows: string[][] = [];
  const watchers: NatsLink[] = [];
  for (const count of values.watchers.split(",").map(Number)) {
    while (watchers.length < count) watchers.push(await join(nats.port, newNode()));
    const [before, cpu, node] = [await varz(), usageOf([natsPid]), control(server)];
    await sleep(seconds * 1000);
    const [after, cpuAfter, nodeAfter] = [await varz(), usageOf([natsPid]), control(server)];
    const share = (from: number, to: number): string =>
      `${fixed(((to - from) / seconds) * 100, 1)} %`;
    rows.push([
      // The one that writes and the real one watch too.
      `${count + 2}`,
      fixed((after.out_msgs - before.out_msgs) / seconds),
      fixed((after.out_bytes - before.out_bytes) / seconds / 1024),
      share(cpu.cpuSeconds, cpuAfter.cpuSeconds),
      share(node.cpuSeconds, nodeAfter.cpuSeconds),
      fixed(cpuAfter.residentBytes / MIB),
    ]);
  }
  say(
    table(
      [
        "nodes that watch",
        "messages out a second",
        "KiB out a second",
        "CPU of NATS",
        "CPU of the node",
        "MiB of NATS",
      ],
      rows,
    ),
  );
  stop();
  await server.stop();
  await Promise.all([link, ...watchers].map((one) => one.close()));
  await nats.stop();
}

await main();
