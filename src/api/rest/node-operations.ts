/** Operations on the server itself; in a cluster, on the node that is asked. */
import { z } from "zod";
import { operation } from "./operation.ts";
import { filter, integer } from "./schemas.ts";

const deadline = z
  .number()
  .nullable()
  .describe("Seconds until streams that still run are ended; null is never.");

export const nodeAnswer = z
  .object({
    status: z.enum(["ready", "draining", "noWorkers"]),
    streams: z.number().describe("Published streams; 0 says that it is empty."),
    pushes: z.number(),
    deadline,
    workers: z.array(
      z.object({
        worker: z.string().describe("Id; its replacement has another."),
        pid: z.number(),
        draining: z.boolean(),
        streams: z.number(),
        deadline,
      }),
    ),
  })
  .describe("The server and its media workers.");

const undrainBody = z.object({
  worker: filter(64).describe("Id of a media worker; without it the whole server is meant."),
});
const drainBody = undrainBody.extend({
  deadline: integer(0, 86_400)
    .optional()
    .describe(
      "Seconds after which streams that still run are ended; without it they run as long as they like.",
    ),
});

export const NODE_OPERATIONS = {
  nodeStatus: operation({
    path: "/node/status",
    methods: ["GET", "POST"],
    summary: "What the server carries, and whether it takes more.",
    answer: nodeAnswer,
  }),
  nodeDrain: operation({
    path: "/node/drain",
    summary:
      "Takes the server out of service, or replaces one of its media workers: no further streams; those that run end by themselves or at the deadline. An empty worker is replaced.",
    body: drainBody,
    answer: nodeAnswer,
    refusals: ["badRequest", "workerNotFound"],
  }),
  nodeUndrain: operation({
    path: "/node/undrain",
    summary: "Takes streams again.",
    body: undrainBody,
    answer: nodeAnswer,
    refusals: ["badRequest", "workerNotFound", "shuttingDown"],
  }),
} as const;
