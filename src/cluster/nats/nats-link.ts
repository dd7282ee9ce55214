/** The cluster's store and messages on NATS; the only file that knows its library. */
import { setTimeout as sleep } from "node:timers/promises";
import { JetStreamApiError } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { connect, errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { FAILURES, type FailureCode, fail } from "../../contract/failures.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Entry } from "../bucket.ts";
import type { Answer, Asked, Link, LinkHandlers } from "../link.ts";
import { leaseKey, type NodeId } from "../records.ts";
import { entryOf, NatsBucket } from "./nats-bucket.ts";
import { connectionOptions, type NatsOptions } from "./nats-options.ts";
import { NatsTable } from "./nats-table.ts";

/** Entries expire that were not written again for so long: those of nodes that are long gone. */
export const ENTRY_AGE_MS = 3_600_000;
const RETRY_MS = 1000;
/** This node's own lease comes by more often; when nothing does, the watch is broken. */
const SILENCE_MS = 9000;
const WATCHDOG_MS = 1000;
/** Requests of other nodes at once; more are refused. */
const MAX_ASKED = 256;
/** What a message may take besides its body. Bytes. */
const OVERHEAD = 4096;
/** `StreamWrongLastSequence` and `StreamWrongLastSequenceUnknown`. */
const WRONG_REVISION: readonly number[] = [10071, 10164];

const asked = z.object({ path: z.string().max(128), body: z.string() });
const answer = z.object({ status: z.number().int().min(200).max(599), body: z.string() });

export class NatsLink implements Link {
  readonly writes = { written: 0, refused: 0, failed: 0 };
  /** What is to outlive every node. */
  readonly table: NatsTable;
  readonly #options: NatsOptions;
  readonly #node: NodeId;
  readonly #logger: Logger;
  #handlers: LinkHandlers | undefined;
  #lease: () => string | undefined = () => undefined;
  #connection: NatsConnection | undefined;
  #store: KV | undefined;
  /** Of this contact; aborted, it is over with whatever belongs to it. */
  #contact = new AbortController();
  #ready = false;
  #closing = false;
  #heardAt = 0;
  #asked = 0;
  #complaint = "";
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: NatsOptions, node: NodeId, logger: Logger) {
    this.#options = options;
    this.#node = node;
    this.#logger = logger;
    const { cluster, replicas } = options;
    this.table = new NatsTable({ name: `transponder-rules_${cluster}`, replicas, ageMs: 0 });
  }

  get ready(): boolean {
    return this.#ready;
  }

  open(handlers: LinkHandlers, lease: () => string | undefined): void {
    this.#handlers = handlers;
    this.#lease = lease;
    this.#watchdog = setInterval(() => this.#checkSilence(), WATCHDOG_MS);
    void this.#keepConnected();
  }

  async read(key: string): Promise<Entry | undefined> {
    const store = this.#reach();
    try {
      const found = await store.get(key);
      return found === null ? undefined : entryOf(found);
    } catch (error) {
      throw unreachable(error);
    }
  }

  async write(
    key: string,
    value: string,
    expected: number | undefined,
  ): Promise<number | undefined> {
    const store = this.#reach();
    try {
      const revision = await writeTo(store, key, value, expected);
      this.writes.written += 1;
      return revision;
    } catch (error) {
      if (isWrongRevision(error)) {
        this.writes.refused += 1;
        return undefined;
      }
      this.writes.failed += 1;
      throw unreachable(error);
    }
  }

  async remove(key: string, expected: number): Promise<void> {
    const store = this.#reach();
    try {
      await store.purge(key, { previousSeq: expected });
      this.writes.written += 1;
    } catch (error) {
      if (!isWrongRevision(error)) throw unreachable(error);
      this.writes.refused += 1;
    }
  }

  async ask(node: NodeId, request: Asked): Promise<Answer> {
    const connection = this.#connection;
    if (connection === undefined || !this.#ready) throw unreachable();
    const text = JSON.stringify(request);
    if (Buffer.byteLength(text) > roomOf(connection)) {
      throw fail("badRequest", "body: too long to be handed to another node");
    }
    try {
      const reply = await connection.request(this.#subject(node), text, {
        timeout: this.#options.requestTimeoutMs,
      });
      return answer.parse(reply.json());
    } catch (error) {
      throw failureOfRequest(error);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watchdog);
    const [connection, store] = [this.#connection, this.#ready ? this.#store : undefined];
    this.#end();
    await store?.purge(leaseKey(this.#node)).catch(() => undefined);
    await connection?.close();
  }

  #subject(node: NodeId): string {
    return `transponder.${this.#options.cluster}.${node}`;
  }

  #reach(): KV {
    if (this.#store === undefined || !this.#ready) throw unreachable();
    return this.#store;
  }

  async #keepConnected(): Promise<void> {
    while (!this.#closing) {
      try {
        const connection = await connect(
          connectionOptions(this.#options, `transponder ${this.#node}`),
        );
        await this.#use(connection);
      } catch (error) {
        this.#complain(error);
        await sleep(RETRY_MS);
      }
    }
  }

  /** Until the connection is closed for good; it reconnects by itself. */
  async #use(connection: NatsConnection): Promise<void> {
    this.#connection = connection;
    if (this.#closing) return connection.close();
    connection.subscribe(this.#subject(this.#node), {
      callback: (error, message) => {
        if (error === null) void this.#serve(message);
      },
    });
    void this.#join(connection);
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "staleConnection") this.#lose("NATS is gone");
      if (type === "reconnect") void this.#join(connection);
    }
    this.#lose("the connection to NATS was closed");
  }

  /** Opens the store and learns what stands in it, again and again until that succeeds. */
  async #join(connection: NatsConnection): Promise<void> {
    let signal = this.#begin();
    while (!signal.aborted) {
      try {
        await this.#learn(connection, signal);
        return;
      } catch (error) {
        this.#complain(error);
        await sleep(RETRY_MS * (0.5 + Math.random()));
        if (!signal.aborted) signal = this.#begin();
      }
    }
  }

  /** A new contact; whatever belonged to the one before is over. */
  #begin(): AbortSignal {
    this.#end();
    this.#contact = new AbortController();
    return this.#contact.signal;
  }

  #end(): void {
    this.#ready = false;
    this.#contact.abort();
    this.table.leave();
  }

  async #learn(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const { cluster, replicas } = this.#options;
    const name = `transponder_${cluster}`;
    const bucket = await NatsBucket.open(connection, { name, replicas, ageMs: ENTRY_AGE_MS });
    const { store } = bucket;
    await this.table.learn(connection, signal);
    await store.put(leaseKey(this.#node), this.#lease() ?? "");
    if (signal.aborted) return;
    this.#store = store;
    this.#heardAt = performance.now();
    this.#handlers?.onContact();
    await bucket.follow(signal, (entry, fresh) => {
      this.#heardAt = performance.now();
      this.#handlers?.onEntry(entry, fresh);
    });
    if (signal.aborted) return;
    this.#ready = true;
    this.#complaint = "";
    this.#logger.info({ server: connection.getServer() }, "cluster reached");
    this.#handlers?.onReady();
  }

  #checkSilence(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#store === undefined || this.#closing) return;
    if (performance.now() - this.#heardAt < SILENCE_MS) return;
    this.#heardAt = performance.now();
    this.#lose("nothing comes from the bucket");
    if (!connection.isClosed()) void this.#join(connection);
  }

  #lose(why: string): void {
    if (this.#closing) return;
    if (this.#ready) this.#logger.warn({ why }, "cluster lost");
    this.#end();
    this.#handlers?.onLost();
  }

  /** Says the same once. */
  #complain(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (why === this.#complaint || this.#closing) return;
    this.#complaint = why;
    this.#logger.warn({ why }, "cluster cannot be reached; trying on");
  }

  async #serve(message: Msg): Promise<void> {
    this.#asked += 1;
    try {
      const text = JSON.stringify(await this.#answer(message));
      const connection = this.#connection;
      const fits = connection !== undefined && Buffer.byteLength(text) <= roomOf(connection);
      message.respond(fits ? text : JSON.stringify(refusal("internal")));
    } catch (error) {
      this.#logger.debug({ error }, "the asking node got no answer");
    } finally {
      this.#asked -= 1;
    }
  }

  async #answer(message: Msg): Promise<Answer> {
    const given = asked.safeParse(parse(message));
    if (!given.success) return refusal("badRequest");
    if (this.#handlers === undefined || this.#asked > MAX_ASKED) return refusal("overloaded");
    return this.#handlers.onAsked(given.data);
  }
}

function refusal(reason: FailureCode): Answer {
  const status = FAILURES[reason].http;
  return { status, body: JSON.stringify({ reason, message: "the node cannot answer", status }) };
}

const roomOf = ({ info }: NatsConnection): number => (info?.max_payload ?? 1 << 20) - OVERHEAD;

function parse(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}

async function writeTo(
  store: KV,
  key: string,
  value: string,
  expected: number | undefined,
): Promise<number> {
  if (expected === undefined) return await store.put(key, value);
  // A key that was removed counts as nothing.
  if (expected === 0) return await store.create(key, value);
  return await store.update(key, value, expected);
}

const isWrongRevision = (error: unknown): boolean =>
  error instanceof JetStreamApiError && WRONG_REVISION.includes(error.code);

const unreachable = (cause?: unknown): Error =>
  fail("clusterUnreachable", "the other nodes cannot be reached", cause);

function failureOfRequest(error: unknown): Error {
  const silent =
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders());
  if (silent) return fail("nodeTimeout", "the node that has it did not answer in time", error);
  return unreachable(error);
}
