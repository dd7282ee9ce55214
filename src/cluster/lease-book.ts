import type { Lease, NodeId } from "./records.ts";

/** A lease that was not refreshed for so long has expired. Milliseconds. */
export const LEASE_MS = 8000;
/** A node that did not look for so long was stopped itself, and has not read what came meanwhile. */
const ASLEEP_MS = 3000;
/** How long goodbyes and the silent are remembered. Milliseconds. */
const MEMORY_MS = 3_600_000;

/** `unsure`: it may live, but has not been heard since this node came into contact. */
export type Life = "alive" | "unsure" | "dead";

interface Known {
  lease: Lease | undefined;
  /** Undefined until a refresh is seen: what stood there before proves nothing. */
  heardAt: number | undefined;
  gone: boolean;
  seenAt: number;
}

/**
 * Who lives, judged by this node's own monotonic clock when a refresh arrives; the clocks of other machines
 * do not count. Times are milliseconds.
 */
export class LeaseBook {
  readonly #known = new Map<NodeId, Known>();
  #since = 0;
  #awakeAt = 0;

  /** Contact with the cluster begins anew: silence until now was perhaps ours. */
  contact(now: number): void {
    this.#since = now;
    this.#awakeAt = now;
    for (const known of this.#known.values()) known.heardAt = undefined;
  }

  /** To be called about every second; when that was impossible, silence was ours. */
  awake(now: number): void {
    if (now - this.#awakeAt > ASLEEP_MS) {
      for (const [node, known] of this.#known) {
        if (this.#judge(node, this.#awakeAt) === "dead") known.gone = true;
      }
      this.contact(now);
    }
    this.#awakeAt = now;
  }

  /** `fresh`: written just now, and not found when contact began. */
  heard(lease: Lease, now: number, fresh: boolean): void {
    const before = this.#known.get(lease.node);
    const heardAt = fresh ? now : before?.heardAt;
    this.#known.set(lease.node, { lease, heardAt, gone: false, seenAt: now });
  }

  /** It said goodbye. */
  gone(node: NodeId, now: number): void {
    this.#known.set(node, { lease: undefined, heardAt: undefined, gone: true, seenAt: now });
  }

  life(node: NodeId, now: number): Life {
    // Asleep until just now: what was so before still holds.
    return this.#judge(node, now - this.#awakeAt > ASLEEP_MS ? this.#awakeAt : now);
  }

  #judge(node: NodeId, now: number): Life {
    const known = this.#known.get(node);
    if (known?.gone === true) return "dead";
    const heardAt = known?.heardAt;
    if (heardAt !== undefined) return now - heardAt <= LEASE_MS ? "alive" : "dead";
    return now - this.#since <= LEASE_MS ? "unsure" : "dead";
  }

  /** Whether it gave a sign of life after that time. */
  heardSince(node: NodeId, time: number): boolean {
    return (this.#known.get(node)?.heardAt ?? Number.NEGATIVE_INFINITY) > time;
  }

  /** Undefined for the dead. */
  lease(node: NodeId, now: number): Lease | undefined {
    return this.life(node, now) === "dead" ? undefined : this.#known.get(node)?.lease;
  }

  /** Leases of all that are not dead. */
  leases(now: number): Lease[] {
    return [...this.#known.keys()].flatMap((node) => this.lease(node, now) ?? []);
  }

  /** Forgets those that have been dead for long. */
  forget(now: number): NodeId[] {
    const old = [...this.#known].filter(
      ([node, { seenAt }]) => now - seenAt > MEMORY_MS && this.life(node, now) === "dead",
    );
    for (const [node] of old) this.#known.delete(node);
    return old.map(([node]) => node);
  }
}
