import type { FastifyInstance } from "fastify";
import type { DestinationChecks } from "../../control/destination-checks.ts";
import { perMinute } from "../guard.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

/** `/push/check`: every call opens a connection somewhere, so there are fewer of them. */
export function checkRoute(
  app: FastifyInstance,
  checks: DestinationChecks,
  checksPerMinute: number,
): void {
  serve(
    app,
    OPERATIONS.pushCheck,
    (body) =>
      checks.check({
        rtmpUrl: body.rtmpUrl,
        streamName: body.streamName,
        fullUrl: body.rtmpTransponderFullUrl,
        publish: body.publish,
        transcoded: (body.height ?? 0) > 0,
      }),
    [perMinute(app, checksPerMinute)],
  );
}
