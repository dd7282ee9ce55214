import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { type BucketOptions, NatsBucket } from "./nats-bucket.ts";

/** Keys and values that all nodes share and that do not expire; without contact, as they were known last. */
export class NatsTable {
  readonly #options: BucketOptions;
  readonly #listeners = new Set<() => void>();
  #entries: ReadonlyMap<string, string> = new Map();
  #store: KV | undefined;

  constructor(options: BucketOptions) {
    this.#options = options;
  }

  get entries(): ReadonlyMap<string, string> {
    return this.#entries;
  }

  /** Calls `listener` after every change; the returned function ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rejects when it cannot be kept now. */
  async put(key: string, value: string): Promise<void> {
    await this.#reach().put(key, value);
    this.#replace(new Map([...this.#entries, [key, value]]));
  }

  /** False when there is none. Rejects when that cannot be done now. */
  async remove(key: string): Promise<boolean> {
    const store = this.#reach();
    const found = await store.get(key);
    if (found?.operation !== "PUT") return false;
    await store.purge(key);
    this.#replace(new Map([...this.#entries].filter(([known]) => known !== key)));
    return true;
  }

  /** Contact is lost. */
  leave(): void {
    this.#store = undefined;
  }

  /** Contact begins, until `signal` ends it; resolves when everything is known. */
  async learn(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const bucket = await NatsBucket.open(connection, this.#options);
    const { store } = bucket;
    const learned = new Map<string, string>();
    await bucket.follow(signal, ({ key, value }, fresh) => {
      if (this.#store === store) this.#apply(key, value);
      else if (value === undefined) learned.delete(key);
      else if (fresh || !learned.has(key)) learned.set(key, value);
    });
    if (signal.aborted) return;
    this.#store = store;
    this.#replace(learned);
  }

  #apply(key: string, value: string | undefined): void {
    if (this.#entries.get(key) === value) return;
    const entries = new Map(this.#entries);
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
    this.#replace(entries);
  }

  #replace(entries: ReadonlyMap<string, string>): void {
    this.#entries = entries;
    for (const listener of this.#listeners) listener();
  }

  #reach(): KV {
    if (this.#store === undefined) throw new Error("the cluster cannot be reached");
    return this.#store;
  }
}
