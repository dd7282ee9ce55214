import type { Bucket } from "./bucket.ts";
import type { ClaimsOptions, Shown } from "./claims.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Carried, type Kind, keyOf } from "./records.ts";

/** Something of this node that the others are to know of. */
export interface Announced extends Shown {
  readonly kind: Exclude<Kind, "stream">;
  readonly id: string;
}

interface Written {
  readonly stamp: string;
  readonly at: number;
  readonly revision: number;
}

export interface AnnouncementsDeps {
  readonly bucket: Bucket;
  readonly view: ClusterView;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The keys of pushes and calls of this node. Nobody else writes them: their ids are of this node's making. */
export class Announcements {
  readonly #options: ClaimsOptions;
  readonly #deps: AnnouncementsDeps;
  readonly #written = new Map<string, Written>();

  constructor(options: ClaimsOptions, deps: AnnouncementsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Contact begins anew: everything is written again. */
  restart(): void {
    this.#written.clear();
  }

  /** Writes what is new or changed, and removes what is not there any more. One call at a time. */
  async sync(all: readonly Announced[], atOnce: boolean): Promise<void> {
    const wanted = new Map(all.map((one) => [keyOf(one.kind, one.id), one]));
    const due = [...wanted].filter(([key, { stamp }]) => this.#isDue(key, stamp, atOnce));
    await Promise.all([
      ...due.map(([key, one]) => this.#write(key, one)),
      ...this.#gone(wanted).map((key) => this.#remove(key)),
    ]);
  }

  #isDue(key: string, stamp: string, atOnce: boolean): boolean {
    const written = this.#written.get(key);
    if (written === undefined) return true;
    const age = this.#deps.now() - written.at;
    if (written.stamp === stamp) return age >= this.#options.refreshMs;
    return atOnce || age >= this.#options.gapMs;
  }

  /** Keys that stand as this node's and are not wanted. */
  #gone(wanted: ReadonlyMap<string, Announced>): string[] {
    const { view } = this.#deps;
    return view
      .keysOf(this.#options.node)
      .filter((key) => view.standing(key)?.record?.kind !== "stream")
      .filter((key) => !wanted.has(key));
  }

  async #write(key: string, { kind, id, view: shown, stamp }: Announced): Promise<void> {
    const { bucket, view, now } = this.#deps;
    const record: Carried = { node: this.#options.node, kind, id, view: shown };
    const value = JSON.stringify(record);
    const revision = (await bucket.write(key, value, undefined)) ?? 0;
    this.#written.set(key, { stamp, at: now(), revision });
    view.apply({ key, revision, value }, now(), false);
  }

  async #remove(key: string): Promise<void> {
    const { bucket, view, now } = this.#deps;
    const revision = this.#written.get(key)?.revision ?? view.standing(key)?.revision ?? 0;
    await bucket.remove(key, revision);
    this.#written.delete(key);
    view.apply({ key, revision: revision + 1, value: undefined }, now(), false);
  }
}
