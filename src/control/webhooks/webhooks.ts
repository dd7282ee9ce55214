import { setTimeout as sleep } from "node:timers/promises";
import { backoffDelay } from "../../base/backoff.ts";
import type { Secret } from "../../base/secret.ts";
import { type Clock, type Millis, millis } from "../../base/time.ts";
import type { Logger } from "../../observe/logger.ts";
import { Repeated } from "../../observe/repeated.ts";
import type { Journal } from "../journal.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { MessageWriter, type WebhookMessage } from "./message.ts";
import { sign } from "./signature.ts";

export interface WebhookOptions {
  /** May hold credentials. */
  readonly url: Secret;
  /** Undefined sends no signature. */
  readonly secret: Secret | undefined;
  /** For one attempt, until the answer's status. */
  readonly timeout: Millis;
  /** Attempts before a message is given up. */
  readonly attempts: number;
  /** Pause before the second attempt; it doubles each time. */
  readonly retryAfter: Millis;
  /** Messages that may wait. */
  readonly capacity: number;
}

export interface WebhookPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Unique to this run of the program. */
  readonly run: string;
}

/** What became of messages since the start. */
export interface WebhookCounts {
  /** Answered with 2xx. */
  readonly delivered: number;
  /** Given up: refused, or all attempts failed. */
  readonly failed: number;
  /** Thrown away because too many waited. */
  readonly dropped: number;
  /** Attempts after the first. */
  readonly retried: number;
}

type Outcome = "delivered" | "retry" | "refused";

/** Deliveries at once, each of another subject. */
const CONCURRENCY = 4;
const MAX_PAUSE = millis(60_000);
const JITTER = 0.2;
const CLOSE_PATIENCE_MS = 2000;

/** Sends each change of state to one URL, signed, in order for each stream and push. */
export class Webhooks {
  readonly #options: WebhookOptions;
  readonly #ports: WebhookPorts;
  readonly #writer: MessageWriter;
  /** The URL without user and password, which requests do not take. */
  readonly #target: URL;
  readonly #credentials: Readonly<Record<string, string>>;
  readonly #queue: DeliveryQueue;
  readonly #counts = { delivered: 0, failed: 0, dropped: 0, retried: 0 };
  readonly #stop = new AbortController();
  readonly #trouble = new Repeated();
  readonly #stopReading: () => void;
  #running = 0;
  #onIdle: () => void = () => undefined;

  constructor(options: WebhookOptions, journal: Journal, ports: WebhookPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#writer = new MessageWriter(ports.run);
    const { target, credentials } = splitCredentials(options.url);
    this.#target = target;
    this.#credentials = credentials;
    this.#queue = new DeliveryQueue(options.capacity);
    this.#stopReading = journal.read((change) => {
      const message = this.#writer.write(change);
      if (message !== undefined) this.#add(message);
    });
  }

  get counts(): WebhookCounts {
    return { ...this.#counts };
  }

  /** Messages not yet delivered or given up. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Gives what is under way a moment, then gives up the rest. */
  async close(): Promise<void> {
    this.#stopReading();
    if (this.#queue.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_PATIENCE_MS);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#stop.abort();
  }

  #add(message: WebhookMessage): void {
    if (this.#queue.add(message) !== undefined) {
      this.#counts.dropped += 1;
      this.#report("too many webhooks wait; the oldest was dropped", undefined);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#running < CONCURRENCY) {
      const message = this.#queue.take();
      if (message === undefined) return;
      this.#running += 1;
      void this.#deliver(message).finally(() => {
        this.#running -= 1;
        this.#queue.done(message);
        if (this.#queue.size === 0) this.#onIdle();
        this.#pump();
      });
    }
  }

  async #deliver(message: WebhookMessage): Promise<void> {
    const { attempts } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const outcome = await this.#try(message);
      if (outcome === "delivered") this.#counts.delivered += 1;
      if (outcome === "delivered" || this.#stop.signal.aborted) return;
      if (outcome === "refused") break;
      if (attempt === attempts) break;
      await this.#pause(attempt);
      if (this.#stop.signal.aborted) return;
      this.#counts.retried += 1;
    }
    this.#counts.failed += 1;
  }

  /** One attempt. A redirect is a refusal: the signature is for this URL. */
  async #try(message: WebhookMessage): Promise<Outcome> {
    const abort = new AbortController();
    const giveUp = (): void => abort.abort();
    const timer = setTimeout(giveUp, this.#options.timeout);
    this.#stop.signal.addEventListener("abort", giveUp);
    try {
      const response = await fetch(this.#target, {
        method: "POST",
        headers: this.#headers(message),
        body: message.body,
        redirect: "manual",
        signal: abort.signal,
      });
      await response.body?.cancel();
      if (response.ok) return "delivered";
      this.#report("webhook refused", `status ${response.status}`);
      return mayTryAgain(response.status) ? "retry" : "refused";
    } catch (error) {
      this.#report("webhook not delivered", nameOf(error));
      return "retry";
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", giveUp);
    }
  }

  #headers({ id, body }: WebhookMessage): Record<string, string> {
    const { secret } = this.#options;
    const timestamp = Math.floor(this.#ports.clock.wallNow() / 1000);
    return {
      ...this.#credentials,
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-dropped": String(this.#counts.dropped),
      ...(secret && { "webhook-signature": sign(secret, id, timestamp, body) }),
    };
  }

  async #pause(attempt: number): Promise<void> {
    const { retryAfter } = this.#options;
    const pause = { initial: retryAfter, cap: MAX_PAUSE, factor: 2, jitter: JITTER };
    const delay = backoffDelay(pause, attempt, this.#ports.random());
    await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** A receiver that is down costs one line a second, not one a message. */
  #report(message: string, detail: string | undefined): void {
    const report = this.#trouble.happened(this.#ports.clock.now());
    if (report === undefined) return;
    this.#ports.logger.warn({ detail, times: report.count, waiting: this.waiting }, message);
  }
}

function splitCredentials(secret: Secret) {
  const target = new URL(secret.reveal());
  const { username, password } = target;
  target.username = "";
  target.password = "";
  if (username === "" && password === "") return { target, credentials: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const credentials = { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
  return { target, credentials };
}

const mayTryAgain = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status < 600);

/** Why a request failed, without the URL, which may hold credentials. */
function nameOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (!(cause instanceof Error)) return "failed";
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
