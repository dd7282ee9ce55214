import { randomUUID } from "node:crypto";
import { asFailure, fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../contract/ids.ts";
import type { RtmpWish } from "../contract/messages.ts";
import type { Logger } from "../observe/logger.ts";
import type { AuthorizePublish } from "./authorize.ts";
import type { SessionObserver } from "./registry.ts";
import type { StreamService } from "./stream-service.ts";
import type { WorkerHandle } from "./workers.ts";

const NAME = /^[^\p{Cc}/?#]{1,200}$/u;
/** Query parameters that may hold a publish token. */
const TOKEN_PARAMETERS = ["token", "key"];
const SILENT: SessionObserver = { onLive: () => undefined, onEnded: () => undefined };

/** Answers what RTMP clients ask of the workers: who may publish, and what there is to play. */
export class RtmpService {
  readonly #streams: StreamService;
  readonly #authorize: AuthorizePublish;
  readonly #logger: Logger;

  constructor(streams: StreamService, authorize: AuthorizePublish, logger: Logger) {
    this.#streams = streams;
    this.#authorize = authorize;
    this.#logger = logger;
  }

  /** A client of `worker` wants something; never rejects. */
  async onWish(worker: WorkerHandle, wish: RtmpWish): Promise<void> {
    try {
      if (!NAME.test(wish.name)) throw fail("badRequest", "the stream name is not usable");
      if (wish.role === "publish") await this.#publish(worker, wish);
      else await this.#play(worker, wish);
    } catch (error) {
      await this.#refuse(worker, wish, error);
    }
  }

  async #publish(worker: WorkerHandle, { connection, name, parameters }: RtmpWish): Promise<void> {
    const token = TOKEN_PARAMETERS.map((key) => parameters.get(key)).find(Boolean);
    await this.#authorize(name, token);
    const session = randomUUID() as MediaSessionId;
    const owner = { sessionId: session, appKey: "rtmp", door: "rtmp" } as const;
    await this.#streams.adopt({ session, name: name as StreamName, owner }, worker, SILENT);
    try {
      await worker.request("rtmp.publish", { connection, session });
    } catch (error) {
      this.#streams.end(session, asFailure(error).toValue());
      throw error;
    }
  }

  async #play(worker: WorkerHandle, { connection, name }: RtmpWish): Promise<void> {
    const session = randomUUID() as MediaSessionId;
    const owner = { sessionId: session, appKey: "rtmp", door: "rtmp" } as const;
    const wish = { session, name: name as StreamName, owner };
    await this.#streams.watch(wish, SILENT, ({ source, worker: place }) => {
      if (place.id === worker.id)
        return worker.request("rtmp.play", { connection, session, source });
      throw fail("overloaded", "the stream is carried by another media process");
    });
  }

  /** The name may hold a key: it is not logged. */
  async #refuse(worker: WorkerHandle, wish: RtmpWish, error: unknown): Promise<void> {
    const { code, message, cause } = asFailure(error);
    const { role, address, connection } = wish;
    const level = code === "internal" ? "error" : "info";
    this.#logger[level]({ role, address, code, detail: message, error: cause }, "RTMP refused");
    const reason = { code, message };
    // A client or worker that has gone needs no answer.
    await worker.request("rtmp.refuse", { connection, reason }).catch(() => undefined);
  }
}
