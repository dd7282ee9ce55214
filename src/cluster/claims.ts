import { asFailure, fail } from "../contract/failures.ts";
import type { Bucket, Entry } from "./bucket.ts";
import type { ClusterView } from "./cluster-view.ts";
import { judgeClaim, type Verdict } from "./ownership.ts";
import { type Carried, keyOf, type NodeId, type RestObject } from "./records.ts";

/** Others may write at the same time; whoever loses so often gives up. */
const TRIES = 4;
/**
 * A name is given up when the other node's claim has stood for so long, and that node has given a sign of life
 * since: what a dead node claimed is free, and a claim whose stream ended without contact is removed before.
 * Milliseconds.
 */
const CONTEST_MS = 2000;

export interface ClaimsOptions {
  readonly node: NodeId;
  /** Shortest time between two changes of what stands under one key. Milliseconds. */
  readonly gapMs: number;
  /** What did not change is written again so often, lest it expires. Milliseconds. */
  readonly refreshMs: number;
}

export interface ClaimsDeps {
  readonly bucket: Bucket;
  readonly view: ClusterView;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Another node has the name; what publishes here has to end. */
  readonly onLost: (name: string, by: NodeId) => void;
}

/** What a stream looks like, and what of it is worth a write when it changes. */
export interface Shown {
  readonly view: RestObject;
  /** Equal as long as nothing worth a write has changed. */
  readonly stamp: string;
}

interface Claim {
  readonly name: string;
  readonly key: string;
  /** Of our own value in the bucket; undefined while the name is held here alone. */
  revision: number | undefined;
  stamp: string | undefined;
  writtenAt: number;
  busy: boolean;
  /** Since when another living node is seen to have the name. */
  contestedAt: number | undefined;
}

/**
 * The names of this node's streams. Each is claimed in the bucket, where the revision decides between two that
 * want it at once. Without contact a name is held here alone, and claimed when contact comes back.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #deps: ClaimsDeps;
  readonly #claims = new Map<string, Claim>();

  constructor(options: ClaimsOptions, deps: ClaimsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  has(name: string): boolean {
    return this.#claims.has(name);
  }

  /** Takes a name. Rejects with `Failure` `streamNameInUse`. */
  async claim(name: string, shown: Shown): Promise<void> {
    if (this.#claims.has(name)) throw taken();
    const claim: Claim = {
      name,
      key: keyOf("stream", name),
      revision: undefined,
      stamp: undefined,
      writtenAt: 0,
      busy: false,
      contestedAt: undefined,
    };
    this.#claims.set(name, claim);
    if (!this.#deps.bucket.ready) return;
    try {
      await this.#exclusively(claim, () => this.#take(claim, shown));
    } catch (error) {
      if (asFailure(error).code === "clusterUnreachable") return;
      if (this.#claims.get(name) === claim) this.#claims.delete(name);
      throw error;
    }
  }

  /** Gives a name back. */
  release(name: string): void {
    const claim = this.#claims.get(name);
    if (claim === undefined) return;
    this.#claims.delete(name);
    // Whoever is writing it at the moment sees that it was given back.
    if (!claim.busy) this.#remove(claim);
  }

  /** Contact begins anew: what stands in the bucket is to be learned. */
  restart(): void {
    for (const claim of this.#claims.values()) claim.revision = undefined;
  }

  /** Writes what changed, claims what is held here alone, gives up what another node has. */
  async sync(shown: ReadonlyMap<string, Shown>, atOnce: boolean): Promise<void> {
    const due = [...this.#claims.values()].flatMap((claim) => {
      const now = shown.get(claim.name);
      return now === undefined || claim.busy ? [] : [{ claim, now }];
    });
    await Promise.all(
      due.map(({ claim, now }) =>
        this.#exclusively(claim, () => this.#syncOne(claim, now, atOnce)),
      ),
    );
    this.#removeOrphans();
  }

  async #syncOne(claim: Claim, shown: Shown, atOnce: boolean): Promise<void> {
    const verdict = this.#judge(claim);
    if (verdict.kind !== "taken" || verdict.life !== "alive") claim.contestedAt = undefined;
    if (verdict.kind === "own" && claim.revision !== undefined) claim.revision = verdict.revision;
    else if (verdict.kind !== "own") claim.revision = undefined;
    if (claim.revision !== undefined) {
      if (this.#isDue(claim, shown, atOnce)) await this.#write(claim, shown, claim.revision);
    } else if (verdict.kind !== "taken") await this.#write(claim, shown, verdict.revision);
    else if (verdict.life === "alive") this.#contest(claim, verdict.by);
  }

  #isDue(claim: Claim, { stamp }: Shown, atOnce: boolean): boolean {
    const age = this.#deps.now() - claim.writtenAt;
    if (stamp === claim.stamp) return age >= this.#options.refreshMs;
    return atOnce || age >= this.#options.gapMs;
  }

  #judge(claim: Claim): Verdict {
    const { view, now } = this.#deps;
    return judgeClaim(view.standing(claim.key), this.#options.node, (node) =>
      view.leases.life(node, now()),
    );
  }

  #contest(claim: Claim, by: NodeId): void {
    const { view } = this.#deps;
    const now = this.#deps.now();
    claim.contestedAt ??= now;
    if (now - claim.contestedAt < CONTEST_MS) return;
    if (!view.leases.heardSince(by, claim.contestedAt)) return;
    this.#claims.delete(claim.name);
    this.#deps.onLost(claim.name, by);
  }

  async #take(claim: Claim, shown: Shown): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const verdict = this.#judge(claim);
      if (verdict.kind === "taken") {
        // What is known may be a moment old.
        if (attempt > 0) throw taken();
        await this.#look(claim);
      } else {
        if (await this.#write(claim, shown, verdict.revision)) return;
        if (this.#claims.get(claim.name) !== claim) return;
      }
    }
    throw taken();
  }

  /** False when something else stands there; it is known then. */
  async #write(claim: Claim, { view, stamp }: Shown, expected: number): Promise<boolean> {
    const { bucket, now } = this.#deps;
    const record: Carried = { node: this.#options.node, kind: "stream", id: claim.name, view };
    const value = JSON.stringify(record);
    const revision = await bucket.write(claim.key, value, expected);
    if (revision === undefined) {
      await this.#look(claim);
      return false;
    }
    claim.revision = revision;
    claim.stamp = stamp;
    claim.writtenAt = now();
    this.#note({ key: claim.key, revision, value });
    if (this.#claims.get(claim.name) !== claim) this.#remove(claim);
    return true;
  }

  async #look({ key }: Claim): Promise<void> {
    const entry = await this.#deps.bucket.read(key);
    const known = this.#deps.view.standing(key);
    this.#note(entry ?? { key, revision: (known?.revision ?? 0) + 1, value: undefined });
  }

  #note(entry: Entry): void {
    this.#deps.view.apply(entry, this.#deps.now(), false);
  }

  #remove({ key, revision }: Claim): void {
    if (revision === undefined || !this.#deps.bucket.ready) return;
    // What stays because contact is lost is an orphan, and removed when it is found.
    this.#deps.bucket.remove(key, revision).catch(() => undefined);
  }

  /** What stands there as ours and is not: its stream ended while nobody could be told. */
  #removeOrphans(): void {
    const { bucket, view } = this.#deps;
    if (!bucket.ready) return;
    for (const key of view.keysOf(this.#options.node)) {
      const standing = view.standing(key);
      const { kind, id } = standing?.record ?? {};
      if (kind !== "stream" || id === undefined || this.#claims.has(id)) continue;
      bucket.remove(key, standing?.revision ?? 0).catch(() => undefined);
    }
  }

  async #exclusively(claim: Claim, work: () => Promise<void>): Promise<void> {
    claim.busy = true;
    try {
      await work();
    } finally {
      claim.busy = false;
    }
  }
}

const taken = (): Error =>
  fail("streamNameInUse", "another session publishes this name, on this node or another");
