import type { Entry } from "./bucket.ts";
import { LeaseBook } from "./lease-book.ts";
import {
  type Carried,
  isLeaseKey,
  type Kind,
  type Lease,
  type NodeId,
  nodeOfLease,
  readCarried,
  readLease,
} from "./records.ts";

/** What is known to stand under a key of something carried. */
export interface Standing {
  readonly revision: number;
  /** Undefined when it cannot be read. */
  readonly record: Carried | undefined;
}

/** What this node knows of the bucket. Times are milliseconds of its own monotonic clock. */
export class ClusterView {
  readonly leases = new LeaseBook();
  readonly #standing = new Map<string, Standing>();
  readonly #keys = new Map<NodeId, Set<string>>();

  /** Contact begins anew: everything is learned again. */
  restart(now: number): void {
    this.#standing.clear();
    this.#keys.clear();
    this.leases.contact(now);
  }

  /** Takes note of an entry, unless a newer one is known. `fresh` as `LeaseBook.heard` has it. */
  apply(entry: Entry, now: number, fresh: boolean): void {
    if (isLeaseKey(entry.key)) this.#applyLease(entry, now, fresh);
    else this.#applyCarried(entry);
  }

  standing(key: string): Standing | undefined {
    return this.#standing.get(key);
  }

  /** Everything of a kind that nodes carry which are not dead. */
  carried(kind: Kind, now: number): Carried[] {
    return [...this.#standing.values()].flatMap(({ record }) =>
      record?.kind === kind && this.leases.life(record.node, now) !== "dead" ? [record] : [],
    );
  }

  /** The lease of the node that carries what stands under `key`; undefined when none lives. */
  carrier(key: string, now: number): Lease | undefined {
    const node = this.#standing.get(key)?.record?.node;
    return node === undefined ? undefined : this.leases.lease(node, now);
  }

  /** Keys of what stands there as carried by `node`. */
  keysOf(node: NodeId): string[] {
    return [...(this.#keys.get(node) ?? [])];
  }

  /** Forgets what those carried that have been dead for long; the bucket has dropped it too. */
  forget(now: number): void {
    for (const node of this.leases.forget(now)) {
      for (const key of this.keysOf(node)) this.#drop(key);
    }
  }

  #applyLease({ key, value }: Entry, now: number, fresh: boolean): void {
    if (value === undefined) {
      this.leases.gone(nodeOfLease(key), now);
      return;
    }
    const lease = readLease(value);
    if (lease !== undefined && lease.node === nodeOfLease(key))
      this.leases.heard(lease, now, fresh);
  }

  #applyCarried({ key, revision, value }: Entry): void {
    const known = this.#standing.get(key);
    if (known !== undefined && known.revision >= revision) return;
    this.#drop(key);
    if (value === undefined) return;
    const record = readCarried(key, value);
    this.#standing.set(key, { revision, record });
    if (record === undefined) return;
    const keys = this.#keys.get(record.node) ?? new Set();
    this.#keys.set(record.node, keys.add(key));
  }

  #drop(key: string): void {
    const node = this.#standing.get(key)?.record?.node;
    this.#standing.delete(key);
    if (node === undefined) return;
    const keys = this.#keys.get(node);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(node);
  }
}
