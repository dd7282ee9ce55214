/** Nodes of one cluster as processes, each on a cable of its own to NATS; and nodes that only say they are. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Announced } from "../../src/cluster/announcements.ts";
import { ClusterNode } from "../../src/cluster/cluster-node.ts";
import { NatsLink } from "../../src/cluster/nats/nats-link.ts";
import type { Lease, NodeId } from "../../src/cluster/records.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { systemClock } from "../../src/observe/system-clock.ts";
import { Cable, type NatsServer, startNats } from "./nats.ts";
import { startServer, type TestServer, until } from "./server.ts";

export type Item = Readonly<Record<string, unknown>>;

export const randomName = (): string => `c-${randomBytes(5).toString("hex")}`;

/** What a node answers to a question for many; nothing found is none. */
export async function listed(node: TestServer, path: string, body: object = {}): Promise<Item[]> {
  const { status, body: answer } = await node.rest(path, body);
  return status === 404 ? [] : (answer as Item[]);
}

export const holds = (what: string, ask: () => Promise<boolean>): Promise<true> =>
  until(what, async () => (await ask()) || undefined);

/** Ports are free when they are chosen; on a busy machine somebody may be faster. */
async function started(settings: Readonly<Record<string, string | number>>): Promise<TestServer> {
  for (let tries = 3; ; tries -= 1) {
    try {
      return await startServer(settings);
    } catch (error) {
      if (tries === 1 || !/in use|media_port_from/.test(String(error))) throw error;
    }
  }
}

/** A node of the lab. */
export interface LabNode {
  readonly server: TestServer;
  readonly cable: Cable;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export class ClusterLab {
  readonly nats: NatsServer;
  readonly #name = `t${randomBytes(4).toString("hex")}`;
  readonly #nodes = new Set<LabNode>();
  readonly #said: ClusterNode[] = [];
  #closed = false;

  private constructor(nats: NatsServer) {
    this.nats = nats;
  }

  static async open(): Promise<ClusterLab> {
    return new ClusterLab(await startNats());
  }

  async start(
    name: string,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<LabNode> {
    const cable = await Cable.lay(this.nats.port);
    const server = await started({
      "cluster.nats_url": cable.url,
      "cluster.name": this.#name,
      "cluster.node_name": name,
      "cluster.request_timeout_ms": 2000,
      rtmp_idle_timeout_ms: 600_000,
      ...settings,
    });
    const node: LabNode = {
      server,
      cable,
      kill: async () => {
        this.#nodes.delete(node);
        process.kill(server.pid, "SIGKILL");
        await cable.cut();
        await rm(server.mediaDirectory, { recursive: true, force: true });
      },
    };
    this.#nodes.add(node);
    // Another one that was started with it may have failed.
    if (this.#closed) await server.stop();
    return node;
  }

  /** A node that carries what `others` says, and nothing else of it. */
  async say(lease: Partial<Lease>, others: readonly Announced[] = []): Promise<ClusterNode> {
    const id = randomBytes(10).toString("hex") as NodeId;
    const logger = createLogger("silent");
    const link = new NatsLink(
      {
        servers: [`127.0.0.1:${this.nats.port}`],
        ...{ user: undefined, password: undefined, token: undefined, credentials: undefined },
        ...{ nkey: undefined, tls: undefined, replicas: 1, requestTimeoutMs: 2000 },
        cluster: this.#name,
      },
      id,
      logger,
    );
    const node = new ClusterNode(
      { node: id, gapMs: 1000, refreshMs: 600_000 },
      {
        ...{ link, logger, random: Math.random, now: () => systemClock.now() / 1000 },
        lease: () => ({
          ...{ name: "said", http: null, ws: null, streams: 0, pushes: 0, room: 0 },
          draining: false,
          ...lease,
        }),
        own: () => ({ streams: new Map(), others }),
        has: () => false,
        run: async ({ path }) =>
          path.includes("/find") ? { status: 503, body: "" } : { status: 200, body: `"${path}"` },
        onLost: () => undefined,
      },
    );
    this.#said.push(node);
    node.open();
    await node.joined(20_000);
    return node;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#said.map((node) => node.close()));
    await Promise.all([...this.#nodes].map(({ server }) => server.stop()));
    await Promise.all([...this.#nodes].map(({ cable }) => cable.cut()));
    await this.nats.stop();
  }
}
