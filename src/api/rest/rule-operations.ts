/** Operations on push rules. */
import { z } from "zod";
import { reason } from "./answers.ts";
import { operation } from "./operation.ts";
import { filter, NAME, startupBody, text, URL } from "./schemas.ts";

const optional = z.number().optional();

export const ruleAnswer = z
  .object({
    ruleId: z.string(),
    streamName: z.string(),
    destination: z
      .string()
      .describe("The RTMP URL without key, password and values of its query; it is shown nowhere."),
    rtmpTransponderFullUrl: z.boolean().optional(),
    rtmpFlashVersion: z.string().optional(),
    width: optional,
    height: optional,
    bitrate: optional,
    fps: optional,
    keyFrameInterval: optional,
    options: z.object({}).loose(),
    lastError: reason
      .nullable()
      .describe("Why this node could not start the push when it last tried."),
    createDate: z.number().describe("Unix time in milliseconds."),
  })
  .describe("A push that starts whenever a stream of that name goes live.");

const createBody = startupBody.extend({
  streamName: text(NAME).describe(
    "Name of a stream, live or not; with a `*` at its end, whatever names begin with.",
  ),
});
const findBody = z.object({ streamName: filter(NAME), rtmpUrl: filter(URL) });
const idBody = z.object({ ruleId: text(128) });

export const RULE_OPERATIONS = {
  ruleCreate: operation({
    path: "/push/rule/create",
    summary:
      "Creates a push rule: a push that starts whenever the stream goes live, and at once when it is.",
    body: createBody,
    answer: ruleAnswer,
    refusals: [
      ...(["badRequest", "badUrl", "addressForbidden", "ruleExists", "tooMany"] as const),
      "ruleStoreFailed",
    ],
  }),
  ruleFind: operation({
    path: "/push/rule/find",
    summary: "Finds push rules by the stream's name as it was given, and by the whole RTMP URL.",
    body: findBody,
    answer: ruleAnswer,
    list: true,
    refusals: ["badRequest", "ruleNotFound"],
  }),
  ruleFindAll: operation({
    path: "/push/rule/find_all",
    methods: ["GET", "POST"],
    summary: "All push rules.",
    answer: ruleAnswer,
    list: true,
    refusals: ["ruleNotFound"],
  }),
  ruleRemove: operation({
    path: "/push/rule/remove",
    summary: "Removes a push rule and ends the pushes that it started.",
    body: idBody,
    refusals: ["badRequest", "ruleNotFound", "ruleStoreFailed"],
  }),
} as const;
