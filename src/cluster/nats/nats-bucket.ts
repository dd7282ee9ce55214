import { setTimeout as sleep } from "node:timers/promises";
import { type JetStreamManager, jetstream, StorageType } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm, type KvWatchEntry, KvWatchInclude } from "@nats-io/kv";
import type { NatsConnection, QueuedIterator } from "@nats-io/transport-node";
import type { Entry } from "../bucket.ts";

export interface BucketOptions {
  readonly name: string;
  /** Copies that NATS keeps. */
  readonly replicas: number;
  /** Entries expire that were not written again for so long; 0 keeps them. Milliseconds. */
  readonly ageMs: number;
}

/** `fresh`: written after the following began. */
type OnEntry = (entry: Entry, fresh: boolean) => void;

const TIMEOUT_MS = 3000;
const POLL_MS = 20;
/** On a busy machine the news of a large cluster come late. */
const NEWS_PATIENCE_MS = 20_000;
/** So many revisions in a row that nobody told of are no accident. */
const MOST_MISSING = 1000;

/**
 * A bucket and its news. NATS 2.9, when it was killed and started again, was seen to keep a message from all its
 * consumers: whoever follows counts the revisions and fetches what is missing.
 */
export class NatsBucket {
  readonly store: KV;
  readonly #name: string;
  readonly #manager: JetStreamManager;

  /** Opens it, and makes it if there is none. */
  static async open(connection: NatsConnection, options: BucketOptions): Promise<NatsBucket> {
    const { name, replicas, ageMs } = options;
    const stream = jetstream(connection, { timeout: TIMEOUT_MS });
    const store = await new Kvm(stream).create(name, {
      history: 1,
      replicas,
      ...(ageMs > 0 && { ttl: ageMs }),
      storage: StorageType.File,
      // Only the leader knows for sure what stands there.
      allow_direct: false,
    });
    return new NatsBucket(name, store, await stream.jetstreamManager(false));
  }

  private constructor(name: string, store: KV, manager: JetStreamManager) {
    this.#name = name;
    this.store = store;
    this.#manager = manager;
  }

  /**
   * Tells what stands there and what is written, until `signal` ends it; resolves when everything is told that
   * stood there before. Rejects when not all of it came.
   */
  async follow(signal: AbortSignal, onEntry: OnEntry): Promise<void> {
    const { streamInfo, values } = await this.store.status();
    const last = streamInfo.state.last_seq;
    let told = 0;
    const count = (entry: Entry, fresh: boolean): void => {
      told += 1;
      onEntry(entry, fresh);
    };
    const news = await this.store.watch({ include: KvWatchInclude.UpdatesOnly });
    // When nothing comes any more, whoever follows notices.
    this.#tellNews(news, signal, last, (entry) => count(entry, true)).catch(() => news.stop());
    for await (const found of until(signal, await this.store.history())) {
      count(entryOf(found), false);
      // The library waits for nothing to be pending; what is written over meanwhile stays pending and never comes.
      if (found.revision >= last) break;
    }
    // Keys that were written over are in the news.
    const deadline = performance.now() + NEWS_PATIENCE_MS;
    while (told < values && !signal.aborted && performance.now() < deadline) await sleep(POLL_MS);
    if (told < values && !signal.aborted) throw new Error("the bucket was not told in full");
  }

  async #tellNews(
    news: QueuedIterator<KvWatchEntry>,
    signal: AbortSignal,
    last: number,
    tell: (entry: Entry) => void,
  ): Promise<void> {
    let next = last + 1;
    for await (const found of until(signal, news)) {
      if (found.revision - next > MOST_MISSING) throw new Error("too much is missing");
      for (; next < found.revision; next += 1) {
        const missing = await this.#at(next);
        if (missing !== undefined) tell(missing);
      }
      next = Math.max(next, found.revision + 1);
      tell(entryOf(found));
    }
  }

  /** What was written as that revision, unless it was written over. */
  async #at(revision: number): Promise<Entry | undefined> {
    const found = await this.#manager.streams.getMessage(`KV_${this.#name}`, { seq: revision });
    if (found === null) return undefined;
    const removed = found.header.get("KV-Operation") !== "";
    const key = found.subject.slice(`$KV.${this.#name}.`.length);
    return { key, revision, value: removed ? undefined : found.string() };
  }
}

async function* until(
  signal: AbortSignal,
  entries: QueuedIterator<KvWatchEntry>,
): AsyncGenerator<KvWatchEntry> {
  const stop = (): void => entries.stop();
  signal.addEventListener("abort", stop);
  try {
    for await (const found of entries) {
      if (signal.aborted) break;
      yield found;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

export const entryOf = (found: KvEntry): Entry => ({
  key: found.key,
  revision: found.revision,
  value: found.operation === "PUT" ? found.string() : undefined,
});
