import assert from "node:assert/strict";
import { test } from "node:test";
import type { MediaSessionId, TransponderId } from "../contract/ids.ts";
import type { PushState, PushStats, StreamStats } from "../contract/messages.ts";
import { OTHER_SERVER, PLATFORMS } from "./destination-profile.ts";
import { type HealthInput, type PushSample, pushHealth } from "./push-health.ts";

const profile = (id: string) => PLATFORMS.find((known) => known.id === id) ?? OTHER_SERVER;

const STREAM: StreamStats = {
  session: "s" as MediaSessionId,
  width: 1280,
  height: 720,
  fps: 30,
  videoBitrate: 3_900_000,
  audioBitrate: 60_000,
  packetsReceived: 10_000,
  packetsLost: 0,
  packetsRecovered: 0,
  framesReceived: 900,
  framesDropped: 0,
  keyframes: 15,
  keyframeRequests: 15,
  roundTrip: 40,
  videoFrozenMs: 0,
  skewMs: 4,
};
const PUSH: PushStats = {
  push: "p" as TransponderId,
  bytesSent: 1,
  bitrate: 4_000_000,
  framesSent: 900,
  framesDropped: 0,
  gopsDropped: 0,
  reconnects: 0,
  framesLost: 0,
  outageMs: 0,
  backlogBytes: 0,
  backlogMs: 0,
  keyframeInterval: 2000,
};

const sample = (
  at: number,
  stream: Partial<StreamStats> = {},
  push: Partial<PushStats> = {},
): PushSample => ({ at, stream: { ...STREAM, ...stream }, push: { ...PUSH, ...push } });

const live = (change: Partial<HealthInput> = {}): HealthInput => ({
  profile: profile("youtube"),
  state: { kind: "live" },
  hasAudio: true,
  hasVideo: true,
  wanted: { height: 0, fps: 0 },
  lint: [],
  before: sample(0),
  now: sample(30_000, { packetsReceived: 20_000 }),
  ...change,
});

const now = (stream: Partial<StreamStats>, push: Partial<PushStats> = {}) => ({
  now: sample(30_000, { packetsReceived: 20_000, ...stream }, push),
});

test("a push that does well has nothing to say", () => {
  assert.deepEqual(pushHealth(live()), { score: 100, status: "good", reasons: [] });
});

test("each reason is said in words, with the figure and who asks for another", () => {
  const table: readonly (readonly [Partial<HealthInput>, string, string])[] = [
    [
      now({}, { keyframeInterval: 4800 }),
      "bad",
      "Keyframes every 4.8 s, YouTube asks for 4 or less.",
    ],
    [
      { ...now({}, { keyframeInterval: 3400 }) },
      "ok",
      "Keyframes every 3.4 s, YouTube asks for 2.",
    ],
    [
      { profile: OTHER_SERVER, ...now({}, { keyframeInterval: 20_000 }) },
      "ok",
      "Keyframes every 20 s, viewers wait long for one.",
    ],
    [
      now({}, { bitrate: 1_240_000 }),
      "ok",
      "1.2 Mb/s are sent, YouTube asks for 3 Mb/s or more at 1280x720.",
    ],
    [
      { profile: profile("twitch"), ...now({}, { bitrate: 7_000_000 }) },
      "bad",
      "7 Mb/s are sent, Twitch takes 6 Mb/s at most.",
    ],
    [
      { profile: profile("twitch"), ...now({ fps: 12 }) },
      "ok",
      "12 pictures a second, Twitch asks for 25 or more.",
    ],
    [{ hasAudio: false }, "good", "No sound in the source, YouTube needs some and gets silence."],
    [now({ fps: 0 }), "bad", "No picture comes from the source."],
    [
      { profile: profile("facebook"), before: sample(0, { width: 640, height: 360 }) },
      "ok",
      "The picture went from 640x360 to 1280x720, Facebook wants one size for the whole broadcast.",
    ],
    [
      now({ packetsReceived: 19_700, packetsLost: 300 }),
      "ok",
      "3 % of the publisher's packets were lost in the last 30 s.",
    ],
    [now({ skewMs: -140 }), "ok", "Sound and picture are 140 ms apart."],
    [now({ roundTrip: 612.4 }), "good", "The publisher is 612 ms away."],
    [now({ videoFrozenMs: 1240 }), "ok", "The picture stood still for 1.2 s in the last 30 s."],
    [now({}, { backlogMs: 1500 }), "ok", "The destination takes data too slowly: 1.5 s wait."],
    [
      now({}, { gopsDropped: 2 }),
      "ok",
      "Pictures left out 2 times in the last 30 s: it was too slow.",
    ],
    [now({}, { reconnects: 1 }), "ok", "Connection lost and restored once in the last 30 s."],
    [
      now({ keyframeRequests: 40 }),
      "ok",
      "The publisher does not send the keyframes it is asked for.",
    ],
  ];
  for (const [change, status, text] of table) {
    const health = pushHealth(live(change));
    assert.deepEqual(
      health.reasons.map((reason) => reason.text),
      [text],
    );
    assert.equal(health.status, status, text);
  }
});

test("a push that is not live is judged by its state alone", () => {
  const cause = {
    code: "connectionReset",
    message: "the destination reset the connection",
  } as const;
  const table: readonly (readonly [PushState, string, string])[] = [
    [{ kind: "connecting", attempt: 1 }, "ok", "push.connecting"],
    [{ kind: "connecting", attempt: 2 }, "bad", "push.reconnecting"],
    [{ kind: "waitingForKeyframe" }, "ok", "push.waiting"],
    [{ kind: "backingOff", attempt: 1, delay: 5000, cause }, "bad", "push.reconnecting"],
    [{ kind: "ended", reason: cause }, "bad", "push.ended"],
  ];
  for (const [state, status, code] of table) {
    const health = pushHealth(live({ state, ...now({ fps: 0 }, { keyframeInterval: 9000 }) }));
    assert.equal(health.status, status);
    assert.deepEqual(
      health.reasons.map((reason) => reason.code),
      [code],
    );
  }
});

test("a push that is encoded anew is judged by what was asked for", () => {
  const facebook = { profile: profile("facebook"), before: sample(0, { width: 640, height: 360 }) };
  const health = pushHealth(
    live({
      ...facebook,
      wanted: { height: 360, fps: 25 },
      ...now({ fps: 3 }, { bitrate: 700_000 }),
    }),
  );
  assert.deepEqual(health.reasons, []);
});

test("rates are not judged while a browser is still rising to its bitrate", () => {
  const young = live({ before: sample(24_000), ...now({ fps: 3 }, { bitrate: 300_000 }) });
  assert.deepEqual(pushHealth(young).reasons, []);
});

test("reasons add up, the worst first, and the score stays within 0 and 100", () => {
  const health = pushHealth(
    live({
      hasAudio: false,
      lint: [{ level: "error", code: "platform.tls", text: "Facebook takes rtmps:// only." }],
      ...now({ skewMs: 200 }, { backlogMs: 9000 }),
    }),
  );
  assert.deepEqual(
    health.reasons.map(({ level }) => level),
    ["error", "error", "warning", "note"],
  );
  assert.equal(health.score, 0);
});
