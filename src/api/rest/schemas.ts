import { z } from "zod";

/** Clients send numbers as text too. */
export const integer = (lowest: number, highest: number) =>
  z.preprocess(
    (value) =>
      typeof value === "string" && /^\d{1,10}$/.test(value.trim()) ? Number(value) : value,
    z.number().int().min(lowest).max(highest),
  );

/** 0 leaves it open; odd sides become even, as pictures have half as many rows and columns of colour. */
const side = (lowest: number, highest: number) =>
  integer(0, highest)
    .refine((n) => n === 0 || n >= lowest, `expected 0 or ${lowest} to ${highest}`)
    .transform((n) => 2 * Math.round(n / 2));

/** 0 leaves it open. */
const kilobits = (lowest: number, highest: number) =>
  integer(0, highest).refine(
    (n) => n === 0 || n >= lowest,
    `expected 0 or ${lowest} to ${highest}`,
  );

const frameRate = (highest: number) =>
  z.preprocess(
    (value) =>
      typeof value === "string" && /^\d{1,3}(\.\d{1,3})?$/.test(value.trim())
        ? Number(value)
        : value,
    z.number().min(0).max(highest),
  );

/** Clients send booleans as text too. */
export const bool = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean(),
);

export const text = (longest: number) => z.string().min(1).max(longest);
/** An absent field, an empty one and null mean the same to WCS clients. */
export const filter = (longest: number) =>
  z.preprocess(
    (value) => (value === null || value === "" ? undefined : value),
    text(longest).optional(),
  );

export const NAME = 512;
export const URL = 4096;

const startAction = z.discriminatedUnion("action", [
  z.object({ action: z.literal("mute") }),
  z.object({ action: z.literal("sound_on"), soundFile: text(NAME), loop: bool.default(false) }),
]);

/** Body of `/push/startup`. Zero means unset in the numbers, as WCS has it. */
export const startupBody = z.object({
  streamName: text(NAME).describe("Name of a published stream."),
  rtmpUrl: text(URL).describe(
    "`rtmp(s)://[user:password@]host[:port]/app[/instance][?query]`; the stream's name follows by itself.",
  ),
  rtmpTransponderFullUrl: bool
    .optional()
    .describe("The URL ends in the name to publish under; nothing is put before it."),
  rtmpFlashVersion: text(NAME).optional().describe("`flashVer` of the connect command."),
  width: side(16, 8192)
    .optional()
    .describe("Counts only together with a height; rounded to an even number."),
  height: side(16, 4320)
    .optional()
    .describe("The picture is encoded anew with this height; its width follows."),
  bitrate: kilobits(50, 50_000)
    .optional()
    .describe("Kilobits per second; the picture is encoded anew."),
  keyFrameInterval: integer(0, 10_000)
    .optional()
    .describe("Frames from one keyframe to the next; the picture is encoded anew."),
  fps: frameRate(120).optional().describe("Frames per second; the picture is encoded anew."),
  options: z
    .preprocess(
      (value) =>
        typeof value === "object" && value !== null && Object.keys(value).length === 0
          ? undefined
          : value,
      startAction.optional(),
    )
    .optional()
    .describe("What the push is to sound like from its first frame."),
});

/** Body of `/push/check`. */
export const checkBody = z.object({
  rtmpUrl: text(URL).describe("As for a push."),
  streamName: filter(NAME).describe("Name of the stream that would be pushed."),
  rtmpTransponderFullUrl: bool.optional().describe("As for a push."),
  height: integer(0, 16_384)
    .optional()
    .describe("As for a push: whether the picture would keep one size."),
  publish: bool
    .default(false)
    .describe(
      "Also asks for the right to publish, then ends at once. A destination may show that as a short broadcast, and it takes the name from whoever publishes there.",
    ),
});

export const findBody = z.object({ streamName: filter(NAME), rtmpUrl: filter(URL) });
export const pushIdBody = z.object({ mediaSessionId: text(128).describe("Id of the push.") });
export const soundBody = pushIdBody.extend({
  soundFile: text(NAME).describe("A WAV file below the media directory."),
  loop: bool.default(false).describe("Begin again at its end; else the live sound returns."),
});
export const streamFindBody = z.object({
  name: filter(NAME),
  mediaSessionId: filter(128),
  status: filter(64),
  published: bool.optional(),
});
export const streamTerminateBody = z.object({
  name: filter(NAME),
  mediaSessionId: filter(128),
  status: filter(64),
  mediaSessionIds: z.array(text(128)).max(1000).optional(),
});
