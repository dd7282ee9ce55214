import type { FastifyInstance } from "fastify";
import type { Answer, Asked } from "../../cluster/link.ts";
import { OPERATIONS } from "./operations.ts";

const PATHS: ReadonlySet<string> = new Set(Object.values(OPERATIONS).map(({ path }) => path));

/** The operations of REST on this node alone, for callers inside the cluster, who need no credentials. */
export class LocalRest {
  readonly #app: FastifyInstance;
  readonly #prefix: string;

  /** `app` serves the operations below `prefix` and listens nowhere. */
  constructor(app: FastifyInstance, prefix: string) {
    this.#app = app;
    this.#prefix = prefix;
  }

  async run({ path, body }: Asked): Promise<Answer> {
    if (!PATHS.has(path)) return { status: 404, body: "" };
    const headers = { "content-type": "application/json" };
    const { statusCode, payload } = await this.#app.inject({
      method: "POST",
      url: `${this.#prefix}${path}`,
      headers,
      payload: body,
    });
    return { status: statusCode, body: payload };
  }
}
