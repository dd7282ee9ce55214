import type { FastifyInstance } from "fastify";
import type { WorkerId } from "../../contract/ids.ts";
import type { Drain } from "../../control/drain.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

/** `/node/*`: this server itself. */
export function nodeRoutes(app: FastifyInstance, drain: Drain): void {
  serve(app, OPERATIONS.nodeStatus, () => drain.status);
  serve(app, OPERATIONS.nodeDrain, ({ worker, deadline }) => {
    if (worker === undefined) drain.drainNode(deadline);
    else drain.drainWorker(worker as WorkerId, deadline);
    return drain.status;
  });
  serve(app, OPERATIONS.nodeUndrain, ({ worker }) => {
    if (worker === undefined) drain.undrainNode();
    else drain.undrainWorker(worker as WorkerId);
    return drain.status;
  });
}
