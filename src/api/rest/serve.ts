import type { FastifyInstance, onRequestAsyncHookHandler } from "fastify";
import type { z } from "zod";
import { readBody } from "./body.ts";
import type { Operation } from "./operation.ts";

/** Serves an operation: its body is read by its own schema before `handle` sees it. */
export function serve<Body extends z.ZodType>(
  app: FastifyInstance,
  operation: Operation<Body>,
  handle: (body: z.output<Body>) => unknown,
  onRequest: onRequestAsyncHookHandler[] = [],
): void {
  const { path, methods, body } = operation;
  app.route({
    method: [...methods],
    url: path,
    onRequest,
    handler: async (request, reply) => {
      const given = body === undefined ? undefined : readBody(body, request.body);
      const answer = await handle(given as z.output<Body>);
      return operation.answer === undefined ? reply.send() : answer;
    },
  });
}
