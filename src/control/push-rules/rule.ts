/** A push tied to a stream's name in advance: whenever the stream is live, it is pushed there. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { redactRtmpUrl } from "../../protocol/rtmp/url.ts";
import type { StartRequest } from "../start-wish.ts";

const NAME = 512;
const URL_LENGTH = 4096;
const ID = /^[a-z0-9]{1,64}$/;

const count = (highest: number) => z.number().min(0).max(highest).optional();

/**
 * What is kept of a rule, under the names that `/push/startup` has. It is never changed: another wish is
 * another rule, so that two writers cannot disagree about one.
 */
const storedRule = z.object({
  ruleId: z.string().regex(ID),
  streamName: z.string().min(1).max(NAME),
  rtmpUrl: z.string().min(1).max(URL_LENGTH),
  rtmpTransponderFullUrl: z.boolean().optional(),
  rtmpFlashVersion: z.string().min(1).max(NAME).optional(),
  width: count(8192),
  height: count(4320),
  bitrate: count(50_000),
  keyFrameInterval: count(10_000),
  fps: count(120),
  options: z
    .discriminatedUnion("action", [
      z.object({ action: z.literal("mute") }),
      z.object({
        action: z.literal("sound_on"),
        soundFile: z.string().min(1).max(NAME),
        loop: z.boolean(),
      }),
    ])
    .optional(),
  createDate: z.number().min(0),
});

/** `rtmpUrl` may hold a key or password. */
export interface PushRule extends StartRequest {
  readonly ruleId: string;
  /** The name of a stream, or what names begin with and a `*`. */
  readonly streamName: string;
  /** Unix milliseconds. */
  readonly createDate: number;
}

/** A value that is no rule. */
export class BadRule extends Error {
  /** Which part of the value is wrong; empty is the value itself. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

export const newRuleId = (): string => randomBytes(10).toString("hex");

/** Takes what a store holds. Throws `BadRule`, whose message shows no value. */
export function readRule(value: unknown): PushRule {
  const result = storedRule.safeParse(value, { reportInput: false });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new BadRule(issue?.path.join(".") ?? "", issue?.message ?? "invalid");
}

/** A rule as outsiders may see it: without stream key and password. */
export function ruleView({ rtmpUrl, options, ...rest }: PushRule): Record<string, unknown> {
  return { ...rest, destination: redactRtmpUrl(rtmpUrl), options: options ?? {} };
}

/** Whether a stream of this name is what the rule waits for. */
export function ruleMatches({ streamName }: PushRule, name: string): boolean {
  return streamName.endsWith("*") ? name.startsWith(streamName.slice(0, -1)) : name === streamName;
}
