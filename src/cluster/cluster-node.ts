import { asFailure, fail } from "../contract/failures.ts";
import type { Logger } from "../observe/logger.ts";
import { type Announced, Announcements } from "./announcements.ts";
import { Claims, type Shown } from "./claims.ts";
import { ClusterView } from "./cluster-view.ts";
import type { Answer, Asked, Link } from "./link.ts";
import { placeElsewhere } from "./placement.ts";
import { type Kind, keyOf, type Lease, leaseKey, type NodeId, type RestObject } from "./records.ts";

/** What of this node the others are told. */
export interface OwnState {
  /** By name. */
  readonly streams: ReadonlyMap<string, Shown>;
  readonly others: readonly Announced[];
}

export interface ClusterOptions {
  readonly node: NodeId;
  /** Shortest time between two writes of one key, and longest. Milliseconds. */
  readonly gapMs: number;
  readonly refreshMs: number;
}

export interface ClusterDeps {
  readonly link: Link;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly lease: () => Omit<Lease, "node">;
  readonly own: () => OwnState;
  /** Whether this node carries it. */
  readonly has: (kind: Kind, id: string) => boolean;
  /** Runs an operation of REST on this node alone. */
  readonly run: (asked: Asked) => Promise<Answer>;
  /** Another node has the name of a stream of this one. */
  readonly onLost: (name: string, by: string) => void;
}

export interface ClusterFigures {
  readonly connected: boolean;
  /** Nodes that are not dead, with this one. */
  readonly nodes: number;
  readonly writes: Readonly<Record<string, number>>;
  /** Operations handed to other nodes, and done for them, by what became of them. */
  readonly requests: Readonly<Record<string, number>>;
}

const TICK_MS = 500;
const HEARTBEAT_MS = 2500;
const FORGET_MS = 60_000;
/** An operation is answered when the others know of it, or after so long. */
const FLUSH_MS = 1000;

/** This node's part in the cluster: says what it carries, knows what the others carry, asks them. */
export class ClusterNode {
  readonly #options: ClusterOptions;
  readonly #deps: ClusterDeps;
  readonly #view = new ClusterView();
  readonly #claims: Claims;
  readonly #announcements: Announcements;
  readonly #requests = { answered: 0, timeout: 0, unreachable: 0, served: 0 };
  #timer: NodeJS.Timeout | undefined;
  #beatAt = 0;
  #draining = false;
  #forgotAt = 0;
  #onReady: (() => void)[] = [];
  /** The look at what changed that goes on, and the one after it. */
  #sync: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;
  /** Something changed while it went on. */
  #again = false;

  constructor(options: ClusterOptions, deps: ClusterDeps) {
    this.#options = options;
    this.#deps = deps;
    const { link: bucket, now, onLost } = deps;
    const shared = { bucket, view: this.#view, now };
    this.#claims = new Claims(options, {
      ...shared,
      onLost: (name, by) => onLost(name, this.#nameOf(by)),
    });
    this.#announcements = new Announcements(options, shared);
  }

  open(): void {
    const { link, now } = this.#deps;
    link.open(
      {
        onContact: () => {
          this.#view.restart(now());
          this.#claims.restart();
          this.#announcements.restart();
        },
        onEntry: (entry, fresh) => this.#view.apply(entry, now(), fresh),
        onReady: () => {
          for (const ready of this.#onReady.splice(0)) ready();
        },
        onLost: () => undefined,
        onAsked: (asked) => this.#serve(asked),
      },
      () => this.#lease(),
    );
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#deps.link.close();
  }

  get connected(): boolean {
    return this.#deps.link.ready;
  }

  /** Resolves when the cluster is known, or after `patienceMs`. */
  async joined(patienceMs: number): Promise<void> {
    if (this.connected) return;
    await within(patienceMs, new Promise<void>((resolve) => this.#onReady.push(resolve)));
  }

  /** Takes a stream's name for this node. Rejects with `Failure` `streamNameInUse`. */
  claim(name: string, shown: Shown): Promise<void> {
    return this.#claims.claim(name, shown);
  }

  release(name: string): void {
    this.#claims.release(name);
  }

  /** The node that carries it; undefined when this one does, or none that lives. */
  async carrier(kind: Kind, id: string): Promise<Lease | undefined> {
    if (this.#deps.has(kind, id)) return undefined;
    const key = keyOf(kind, id);
    const { link, now } = this.#deps;
    if (this.#view.standing(key) === undefined && link.ready) {
      // It may have begun a moment ago.
      const entry = await link.read(key).catch(() => undefined);
      if (entry !== undefined) this.#view.apply(entry, now(), false);
    }
    return this.knownCarrier(kind, id);
  }

  /** As `carrier`, as far as is known at once. */
  knownCarrier(kind: Kind, id: string): Lease | undefined {
    if (this.#deps.has(kind, id)) return undefined;
    const lease = this.#view.carrier(keyOf(kind, id), this.#deps.now());
    return lease?.node === this.#options.node ? undefined : lease;
  }

  /** What other nodes carry. */
  elsewhere(
    kind: Kind,
  ): { readonly node: NodeId; readonly name: string; readonly view: RestObject }[] {
    const now = this.#deps.now();
    return this.#view
      .carried(kind, now)
      .filter(({ node }) => node !== this.#options.node)
      .map(({ node, view }) => ({ node, name: this.#nameOf(node), view }));
  }

  /** A node that would take a stream which has no room here. */
  roomElsewhere(): Lease | undefined {
    return placeElsewhere(this.#others(), this.#deps.random());
  }

  /** Has another node run an operation. Rejects with `Failure`: `nodeTimeout`, `clusterUnreachable`. */
  async ask(node: NodeId, asked: Asked): Promise<Answer> {
    try {
      const answer = await this.#deps.link.ask(node, asked);
      this.#requests.answered += 1;
      return answer;
    } catch (error) {
      const { code } = asFailure(error);
      this.#requests[code === "nodeTimeout" ? "timeout" : "unreachable"] += 1;
      throw error;
    }
  }

  /** Something has changed: the others are told of it soon. */
  nudge(): void {
    if (this.#sync !== undefined) this.#again = true;
    else if (this.connected) void this.#begin(false);
  }

  /** Tells the others what has changed; resolves when they can know it, or after a second. */
  async flush(): Promise<void> {
    if (!this.connected) return;
    if (this.#sync === undefined) await within(FLUSH_MS, this.#begin(true));
    else {
      // The one that goes on may have looked before.
      this.#nextSync ??= this.#sync.then(() => {
        this.#nextSync = undefined;
        return this.#begin(true);
      });
      await within(FLUSH_MS, this.#nextSync);
    }
  }

  get figures(): ClusterFigures {
    const { connected } = this;
    return {
      connected,
      nodes: this.#others().length + 1,
      writes: { ...this.#deps.link.writes },
      requests: { ...this.#requests },
    };
  }

  #others(): Lease[] {
    const leases = this.#view.leases.leases(this.#deps.now());
    return leases.filter(({ node }) => node !== this.#options.node);
  }

  #nameOf(node: NodeId): string {
    return this.#view.leases.lease(node, this.#deps.now())?.name ?? node;
  }

  #lease(): string {
    const lease: Lease = { node: this.#options.node, ...this.#deps.lease() };
    return JSON.stringify(lease);
  }

  async #tick(): Promise<void> {
    const now = this.#deps.now();
    this.#view.leases.awake(now);
    if (now - this.#forgotAt > FORGET_MS) {
      this.#forgotAt = now;
      this.#view.forget(now);
    }
    if (!this.connected) return;
    const going = this.#sync ?? this.#nextSync;
    await Promise.all([this.#beat(now), going ?? this.#begin(false)]);
  }

  async #beat(now: number): Promise<void> {
    const { draining } = this.#deps.lease();
    if (now - this.#beatAt < HEARTBEAT_MS && draining === this.#draining) return;
    this.#beatAt = now;
    this.#draining = draining;
    await this.#quietly(
      this.#deps.link.write(leaseKey(this.#options.node), this.#lease(), undefined),
    );
  }

  #begin(atOnce: boolean): Promise<void> {
    this.#again = false;
    // Later: what it finds may be the cause of a change, which is to find it going on.
    const sync = Promise.resolve()
      .then(() => this.#syncAll(atOnce))
      .finally(() => {
        if (this.#sync === sync) this.#sync = undefined;
        if (this.#again && this.#nextSync === undefined) this.nudge();
      });
    this.#sync = sync;
    return sync;
  }

  async #syncAll(atOnce: boolean): Promise<void> {
    const { streams, others } = this.#deps.own();
    await this.#quietly(
      Promise.all([this.#claims.sync(streams, atOnce), this.#announcements.sync(others, atOnce)]),
    );
  }

  /** Contact may be lost at any time; what could not be written is written when it is back. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (asFailure(error).code === "clusterUnreachable") return;
      this.#deps.logger.error({ error }, "defect in the cluster");
    }
  }

  async #serve(asked: Asked): Promise<Answer> {
    this.#requests.served += 1;
    const answer = await this.#deps.run(asked);
    await this.flush();
    return answer;
  }
}

/** The refusal for somebody who wants to play a stream of another node. */
export const elsewhereFailure = ({ name, ws, http }: Lease): Error =>
  fail("streamElsewhere", `Stream is on node ${name}: ${ws ?? http ?? "no address is known"}`);

function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
