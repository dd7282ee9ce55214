/** The cluster's store and messages on NATS; the only file that knows its library. */
import { setTimeout as sleep } from "node:timers/promises";
import { JetStreamApiError, jetstream, StorageType } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm, type KvWatchEntry } from "@nats-io/kv";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  errors,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  type QueuedIterator,
} from "@nats-io/transport-node";
import { z } from "zod";
import type { Secret } from "../../base/secret.ts";
import { FAILURES, type FailureCode, fail } from "../../contract/failures.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Entry } from "../bucket.ts";
import type { Answer, Asked, Link, LinkHandlers } from "../link.ts";
import { leaseKey, type NodeId } from "../records.ts";

/** PEM texts. */
export interface NatsTls {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface NatsOptions {
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly token: Secret | undefined;
  /** Text of a credentials file. */
  readonly credentials: Secret | undefined;
  /** Seed of an NKey. */
  readonly nkey: Secret | undefined;
  readonly tls: NatsTls | undefined;
  /** Clusters of different names do not see each other. Letters, digits, `-` and `_`. */
  readonly cluster: string;
  /** Copies that NATS keeps of the bucket. */
  readonly replicas: number;
  readonly requestTimeoutMs: number;
}

/** Entries expire that were not written again for so long: those of nodes that are long gone. */
export const ENTRY_AGE_MS = 3_600_000;
const STORE_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 3000;
const RETRY_MS = 1000;
/** Two unanswered pings end a connection that only seems to be one. */
const PING_MS = 2000;
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
  readonly #options: NatsOptions;
  readonly #node: NodeId;
  readonly #logger: Logger;
  #handlers: LinkHandlers | undefined;
  #lease: () => string | undefined = () => undefined;
  #connection: NatsConnection | undefined;
  #store: KV | undefined;
  #watch: QueuedIterator<KvWatchEntry> | undefined;
  /** Counts contacts; whatever belongs to an earlier one is over. */
  #contact = 0;
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
    this.#ready = false;
    this.#contact += 1;
    this.#watch?.stop();
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
        const connection = await connect(this.#connectionOptions());
        await this.#use(connection);
      } catch (error) {
        this.#complain(error);
        await sleep(RETRY_MS);
      }
    }
  }

  #connectionOptions(): NodeConnectionOptions {
    const { servers, user, password, token, tls } = this.#options;
    const authenticator = this.#authenticator();
    return {
      servers: [...servers],
      name: `transponder ${this.#node}`,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectTimeWait: RETRY_MS / 2,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      pingInterval: PING_MS,
      maxPingOut: 2,
      ...(user !== undefined && { user }),
      ...(password !== undefined && { pass: password.reveal() }),
      ...(token !== undefined && { token: token.reveal() }),
      ...(authenticator !== undefined && { authenticator }),
      ...(tls !== undefined && { tls: tlsOptions(tls) }),
    };
  }

  #authenticator(): Authenticator | undefined {
    const { credentials, nkey } = this.#options;
    const bytes = (secret: Secret): Uint8Array => new TextEncoder().encode(secret.reveal());
    if (credentials !== undefined) return credsAuthenticator(bytes(credentials));
    return nkey === undefined ? undefined : nkeyAuthenticator(bytes(nkey));
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
    this.#contact += 1;
    const contact = this.#contact;
    const valid = (): boolean => contact === this.#contact && !this.#closing;
    this.#ready = false;
    while (valid()) {
      try {
        await this.#learn(connection, valid);
        return;
      } catch (error) {
        this.#complain(error);
        await sleep(RETRY_MS);
      }
    }
  }

  async #learn(connection: NatsConnection, valid: () => boolean): Promise<void> {
    const { cluster, replicas } = this.#options;
    const kvm = new Kvm(jetstream(connection, { timeout: STORE_TIMEOUT_MS }));
    const store = await kvm.create(`transponder_${cluster}`, {
      history: 1,
      ttl: ENTRY_AGE_MS,
      replicas,
      storage: StorageType.File,
      // Only the leader knows for sure what stands there.
      allow_direct: false,
    });
    if (!valid()) return;
    // So that there is an entry, the last of which ends the learning.
    await store.put(leaseKey(this.#node), this.#lease() ?? "");
    const watch = await store.watch();
    if (!valid()) return watch.stop();
    this.#watch?.stop();
    this.#watch = watch;
    this.#store = store;
    this.#heardAt = performance.now();
    this.#handlers?.onContact();
    this.#follow(watch, valid).catch((error: unknown) => this.#complain(error));
  }

  async #follow(watch: QueuedIterator<KvWatchEntry>, valid: () => boolean): Promise<void> {
    for await (const found of watch) {
      if (!valid()) break;
      this.#heardAt = performance.now();
      this.#handlers?.onEntry(entryOf(found), this.#ready);
      if (this.#ready || found.delta !== 0) continue;
      this.#ready = true;
      this.#complaint = "";
      this.#logger.info({ server: this.#connection?.getServer() }, "cluster reached");
      this.#handlers?.onReady();
    }
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
    this.#contact += 1;
    if (this.#ready) this.#logger.warn({ why }, "cluster lost");
    this.#ready = false;
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

const entryOf = (found: KvEntry): Entry => ({
  key: found.key,
  revision: found.revision,
  value: found.operation === "PUT" ? found.string() : undefined,
});

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

const tlsOptions = ({ ca, certificate, key }: NatsTls) => ({
  ...(ca !== undefined && { ca }),
  ...(certificate !== undefined && { cert: certificate }),
  ...(key !== undefined && { key }),
});

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
