/** How well a push does, as a number and in words for a person. Pure, and shared with the page. */
import type { PushState, PushStats, StreamStats } from "../contract/messages.ts";
import type { Finding } from "./destination-lint.ts";
import { bitrateRange, type DestinationProfile } from "./destination-profile.ts";

type HealthStatus = "good" | "ok" | "bad";

export interface Health {
  /** 0..100; good above 80, bad up to 40. */
  readonly score: number;
  readonly status: HealthStatus;
  /** The worst first; empty when there is nothing to say. */
  readonly reasons: readonly Finding[];
}

/** Figures of a push and of its stream, taken together. */
export interface PushSample {
  /** Milliseconds on any steady clock. */
  readonly at: number;
  readonly stream: StreamStats;
  readonly push: PushStats;
}

export interface HealthInput {
  readonly profile: DestinationProfile;
  readonly state: PushState;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Picture that the push was asked to encode anew; 0 is as the source has it. */
  readonly wanted: { readonly height: number; readonly fps: number };
  /** What is wrong with the destination whatever is sent to it. */
  readonly lint: readonly Finding[];
  readonly now: PushSample | undefined;
  /** Some seconds earlier; what happened since counts as recent. */
  readonly before: PushSample | undefined;
}

const WEIGHT: Readonly<Record<Finding["level"], number>> = { error: 60, warning: 20, note: 3 };
const GOOD_ABOVE = 80;
const BAD_UP_TO = 40;

/** Shorter observations say nothing about rates: a browser begins low and takes seconds to rise. */
const SETTLED_MS = 10_000;
const KEYFRAME_TOLERANCE = 1.5;
const LOSS = { warning: 0.01, error: 0.05 };
const SKEW_MS = { note: 45, warning: 100 };
const BACKLOG_MS = { warning: 700, error: 3000 };
const ROUND_TRIP_MS = 400;
/** Keyframes asked for and not sent, within the window. */
const UNANSWERED = 5;

const error = (code: string, text: string): Finding => ({ level: "error", code, text });
const warning = (code: string, text: string): Finding => ({ level: "warning", code, text });
const note = (code: string, text: string): Finding => ({ level: "note", code, text });

/** Judges one push at one moment. */
export function pushHealth(input: HealthInput): Health {
  const waiting = stateFinding(input.state);
  const found = waiting === undefined ? liveFindings(input) : [waiting];
  const reasons = [...found, ...input.lint].sort((a, b) => WEIGHT[b.level] - WEIGHT[a.level]);
  const score = Math.max(0, 100 - reasons.reduce((sum, { level }) => sum + WEIGHT[level], 0));
  const status = score > GOOD_ABOVE ? "good" : score > BAD_UP_TO ? "ok" : "bad";
  return { score, status, reasons };
}

function stateFinding(state: PushState): Finding | undefined {
  if (state.kind === "connecting") {
    return state.attempt > 1
      ? error("push.reconnecting", `Connecting again, attempt ${state.attempt}.`)
      : warning("push.connecting", "Connecting to the destination.");
  }
  if (state.kind === "waitingForSource") {
    return warning("push.noSource", "Waiting for the stream's media to begin.");
  }
  if (state.kind === "waitingForKeyframe") {
    return warning("push.waiting", "Connected; waiting for a picture to begin with.");
  }
  if (state.kind === "backingOff") {
    return error("push.reconnecting", `The connection was lost: ${state.cause.message}.`);
  }
  if (state.kind === "ended") return error("push.ended", `Ended: ${state.reason.message}.`);
  return undefined;
}

function liveFindings(input: HealthInput): Finding[] {
  const { now } = input;
  if (now === undefined) return [];
  const found = [soundFinding(input), keyframeFinding(input, now), skewFinding(now)];
  found.push(backlogFinding(now), roundTripFinding(now));
  const { before } = input;
  if (before !== undefined && now.at > before.at) found.push(...recentFindings(input, now, before));
  if (before !== undefined && now.at - before.at >= SETTLED_MS) {
    found.push(...rateFindings(input, now));
  }
  return found.filter((finding) => finding !== undefined);
}

function soundFinding({ hasAudio, profile }: HealthInput): Finding | undefined {
  if (hasAudio) return undefined;
  return profile.needsAudio
    ? note("audio.silence", `No sound in the source, ${profile.name} needs some and gets silence.`)
    : note("audio.silence", "No sound in the source, silence is sent.");
}

function keyframeFinding({ profile }: HealthInput, { push }: PushSample): Finding | undefined {
  const interval = push.keyframeInterval / 1000;
  const { asked, limit } = profile.keyframes;
  const every = `Keyframes every ${decimal(interval)} s`;
  if (limit !== undefined && interval > limit) {
    return error("keyframes.limit", `${every}, ${profile.name} asks for ${limit} or less.`);
  }
  if (interval <= asked * KEYFRAME_TOLERANCE) return undefined;
  const who = profile.needsKey ? `${profile.name} asks for ${asked}` : "viewers wait long for one";
  return warning("keyframes.rare", `${every}, ${who}.`);
}

function skewFinding({ stream }: PushSample): Finding | undefined {
  const skew = Math.round(Math.abs(stream.skewMs ?? 0));
  const text = `Sound and picture are ${skew} ms apart.`;
  if (skew > SKEW_MS.warning) return warning("sync.skew", text);
  return skew > SKEW_MS.note ? note("sync.skew", text) : undefined;
}

function backlogFinding({ push }: PushSample): Finding | undefined {
  const text = `The destination takes data too slowly: ${decimal(push.backlogMs / 1000)} s wait.`;
  if (push.backlogMs > BACKLOG_MS.error) return error("destination.slow", text);
  return push.backlogMs > BACKLOG_MS.warning ? warning("destination.slow", text) : undefined;
}

function roundTripFinding({ stream }: PushSample): Finding | undefined {
  const { roundTrip = 0 } = stream;
  if (roundTrip <= ROUND_TRIP_MS) return undefined;
  return note("source.roundTrip", `The publisher is ${Math.round(roundTrip)} ms away.`);
}

/** What happened between the two samples. */
function recentFindings(
  input: HealthInput,
  now: PushSample,
  before: PushSample,
): (Finding | undefined)[] {
  const span = `in the last ${Math.round((now.at - before.at) / 1000)} s`;
  const grown = (figure: (sample: PushSample) => number): number => figure(now) - figure(before);
  const groups = grown(({ push }) => push.gopsDropped);
  const restored = grown(({ push }) => push.reconnects);
  const frozen = grown(({ stream }) => stream.videoFrozenMs);
  const unanswered =
    grown(({ stream }) => stream.keyframeRequests) - grown(({ stream }) => stream.keyframes);
  return [
    lossFinding(now, before, span),
    sizeFinding(input, now, before),
    groups > 0
      ? warning(
          "destination.dropped",
          `Pictures left out ${times(groups)} ${span}: it was too slow.`,
        )
      : undefined,
    restored > 0
      ? warning("push.restored", `Connection lost and restored ${times(restored)} ${span}.`)
      : undefined,
    frozen > 0
      ? warning("source.frozen", `The picture stood still for ${decimal(frozen / 1000)} s ${span}.`)
      : undefined,
    unanswered > UNANSWERED
      ? warning("source.keyframes", "The publisher does not send the keyframes it is asked for.")
      : undefined,
  ];
}

function lossFinding(now: PushSample, before: PushSample, span: string): Finding | undefined {
  const lost = now.stream.packetsLost - before.stream.packetsLost;
  const came = now.stream.packetsReceived - before.stream.packetsReceived;
  const share = lost / Math.max(1, lost + came);
  const text = `${decimal(100 * share)} % of the publisher's packets were lost ${span}.`;
  if (share >= LOSS.error) return error("source.loss", text);
  return share >= LOSS.warning ? warning("source.loss", text) : undefined;
}

function sizeFinding(
  { profile, wanted }: HealthInput,
  now: PushSample,
  before: PushSample,
): Finding | undefined {
  if (!profile.steadyPicture || wanted.height > 0 || before.stream.height === 0) return undefined;
  const sizes = [before, now].map(({ stream }) => `${stream.width}x${stream.height}`);
  if (sizes[0] === sizes[1]) return undefined;
  const text = `The picture went from ${sizes.join(" to ")}, ${profile.name} wants one size for the whole broadcast.`;
  return warning("picture.changed", text);
}

function rateFindings(input: HealthInput, now: PushSample): (Finding | undefined)[] {
  if (!input.hasVideo) return [];
  if (now.stream.fps === 0) return [error("source.noPicture", "No picture comes from the source.")];
  return [bitrateFinding(input, now), fpsFinding(input, now)];
}

function bitrateFinding({ profile, wanted }: HealthInput, now: PushSample): Finding | undefined {
  const height = wanted.height || now.stream.height;
  const width = Math.round((now.stream.width * height) / (now.stream.height || 1));
  const kbps = now.push.bitrate / 1000;
  const sent = bitrate(kbps);
  if (profile.maxBitrate !== undefined && kbps > profile.maxBitrate) {
    const most = bitrate(profile.maxBitrate);
    return error("bitrate.limit", `${sent} are sent, ${profile.name} takes ${most} at most.`);
  }
  const range = bitrateRange(profile, width, height);
  if (range === undefined || (kbps >= range.low && kbps <= range.high)) return undefined;
  const wish =
    kbps < range.low ? `${bitrate(range.low)} or more` : `${bitrate(range.high)} or less`;
  const code = kbps < range.low ? "bitrate.low" : "bitrate.high";
  return warning(code, `${sent} are sent, ${profile.name} asks for ${wish} at ${width}x${height}.`);
}

function fpsFinding({ profile, wanted }: HealthInput, { stream }: PushSample): Finding | undefined {
  const { low, high } = profile.fps;
  const fps = wanted.fps || Math.round(stream.fps);
  if (fps >= low && fps <= high) return undefined;
  const who = profile.needsKey ? `${profile.name} asks for` : "a fluent picture has";
  const wish = fps < low ? `${low} or more` : `${high} or less`;
  return warning("fps", `${fps} pictures a second, ${who} ${wish}.`);
}

const decimal = (value: number): string => (Math.round(value * 10) / 10).toString();
const times = (count: number): string => (count === 1 ? "once" : `${count} times`);
const bitrate = (kbps: number): string =>
  kbps >= 1000 ? `${decimal(kbps / 1000)} Mb/s` : `${Math.round(kbps)} kb/s`;
