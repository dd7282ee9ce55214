import type { FastifyInstance } from "fastify";
import { fail } from "../../contract/failures.ts";
import type { StreamRecord } from "../../control/registry.ts";
import type { StreamService } from "../../control/stream-service.ts";
import { type StreamView, streamView } from "../../control/views.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

interface Filter {
  readonly name?: string | undefined;
  readonly mediaSessionId?: string | undefined;
  readonly status?: string | undefined;
  readonly mediaSessionIds?: readonly string[] | undefined;
}

const matches = (stream: StreamRecord, filter: Filter): boolean =>
  (filter.name === undefined || stream.name === filter.name) &&
  (filter.mediaSessionId === undefined || stream.session === filter.mediaSessionId) &&
  (filter.status === undefined || streamView(stream)["status"] === filter.status) &&
  (filter.mediaSessionIds === undefined ||
    filter.mediaSessionIds.length === 0 ||
    filter.mediaSessionIds.includes(stream.session));

function found(streams: readonly StreamRecord[]): readonly StreamRecord[] {
  if (streams.length === 0) throw fail("streamNotFound", "no stream matches");
  return streams;
}

const views = (streams: readonly StreamRecord[]): StreamView[] =>
  found(streams).map((stream) => streamView(stream));

/** `/stream/*` of WCS, as far as pushes need it. */
export function streamRoutes(app: FastifyInstance, streams: StreamService): void {
  serve(app, OPERATIONS.streamFindAll, () => views(streams.streams));
  serve(app, OPERATIONS.streamFind, (filter) =>
    views(
      streams.streams.filter((stream) => filter.published !== false && matches(stream, filter)),
    ),
  );
  serve(app, OPERATIONS.streamTerminate, (filter) => {
    for (const { session } of found(streams.streams.filter((stream) => matches(stream, filter)))) {
      streams.end(session, { code: "terminated", message: "a REST call ended it" });
    }
  });
}
