import type { FastifyInstance } from "fastify";
import { fail } from "../../contract/failures.ts";
import type { StreamRecord } from "../../control/registry.ts";
import { streamObject } from "../../control/stream-object.ts";
import type { StreamService } from "../../control/stream-service.ts";
import { readBody } from "./body.ts";
import { streamFindBody, streamTerminateBody } from "./schemas.ts";

const statusOf = (stream: StreamRecord): string =>
  stream.state === "live" ? "PUBLISHING" : "PENDING";

function object(stream: StreamRecord): Record<string, unknown> {
  return {
    ...streamObject({
      ...stream,
      kind: "publish",
      sessionId: stream.owner.sessionId,
      appKey: stream.owner.appKey,
      record: stream,
    }),
    status: statusOf(stream),
    info: null,
  };
}

function found(streams: readonly StreamRecord[]): readonly StreamRecord[] {
  if (streams.length === 0) throw fail("streamNotFound", "no stream matches");
  return streams;
}

/** `/stream/*` of WCS, as far as pushes need it. */
export function streamRoutes(app: FastifyInstance, streams: StreamService): void {
  app.route({
    method: ["GET", "POST"],
    url: "/stream/find_all",
    handler: async () => found(streams.streams).map(object),
  });
  app.post("/stream/find", async (request) => {
    const { name, mediaSessionId, status, published } = readBody(streamFindBody, request.body);
    const matching = streams.streams.filter(
      (stream) =>
        (name === undefined || stream.name === name) &&
        (mediaSessionId === undefined || stream.session === mediaSessionId) &&
        (status === undefined || statusOf(stream) === status) &&
        published !== false,
    );
    return found(matching).map(object);
  });
  app.post("/stream/terminate", async (request, reply) => {
    const filter = readBody(streamTerminateBody, request.body);
    const ids = filter.mediaSessionIds ?? [];
    const matching = streams.streams.filter(
      (stream) =>
        (filter.name === undefined || stream.name === filter.name) &&
        (filter.status === undefined || statusOf(stream) === filter.status) &&
        (filter.mediaSessionId === undefined || stream.session === filter.mediaSessionId) &&
        (ids.length === 0 || ids.includes(stream.session)),
    );
    for (const { session } of found(matching)) {
      streams.end(session, { code: "terminated", message: "a REST call ended it" });
    }
    return reply.send();
  });
}
