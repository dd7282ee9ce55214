import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aacForm, opusForm } from "../../test/support/sound-forms.ts";
import { type Millis, micros, millis } from "../base/time.ts";
import type { FlvTag, VideoTag } from "../protocol/flv/tag.ts";
import { AAC_GRID, OPUS_GRID, slotTime } from "./audio-grid.ts";
import { COVERED } from "./audio-line.ts";
import { type Missed, Transponder, type TransponderOptions } from "./transponder.ts";

interface Sent {
  readonly what: string;
  readonly timestamp: Millis;
  readonly body: Uint8Array;
}

const options: TransponderOptions = {
  budget: { bytes: 1000, duration: millis(10_000) },
  playout: undefined,
  sendMetadata: true,
  audioAloneAfter: micros(1_000_000),
  muted: false,
  audio: aacForm(1),
};

/** A destination whose socket takes or does not take more, and what it got. */
function destination(overrides: Partial<TransponderOptions> = {}) {
  const sent: Sent[] = [];
  const calls = { keyframes: 0, lives: 0, clipEnds: 0, clipsLost: 0 };
  const missed: (Missed | undefined)[] = [];
  const socket = { full: false, waiting: 0 };
  const transponder = new Transponder(
    { ...options, ...overrides },
    {
      describe: () => Uint8Array.of(2),
      requestKeyframe: () => {
        calls.keyframes += 1;
      },
      onLive: (between) => {
        calls.lives += 1;
        missed.push(between);
      },
      onClipEnded: () => {
        calls.clipEnds += 1;
      },
      onClipLost: () => {
        calls.clipsLost += 1;
      },
    },
  );
  const link = {
    write(tag: FlvTag, timestamp: Millis): boolean {
      const role = tag.kind === "script" ? "metadata" : `${tag.kind}:${tag.role}`;
      sent.push({ what: role, timestamp, body: tag.body });
      return !socket.full;
    },
    backlog: () => socket.waiting,
    holdsPictures: () => socket.waiting > 0,
  };
  return { transponder, sent, calls, missed, socket, link };
}

const video = (role: VideoTag["role"], ms: number, bytes = 100): VideoTag => ({
  kind: "video",
  role,
  pts: micros(ms * 1000),
  body: new Uint8Array(bytes),
});
const audio = (slot: number) => ({
  slot,
  pts: slotTime(AAC_GRID, slot),
  live: Uint8Array.of(0xaf, 1, 2),
});
const whats = (sent: readonly Sent[]): string[] => sent.map(({ what }) => what);

test("a connection starts with metadata, configurations and an IDR picture", () => {
  const { transponder, sent, link, calls } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 0));
  transponder.onVideo(video("delta", 0));
  transponder.onAudio(audio(0));
  transponder.onVideo(video("key", 33));
  transponder.onVideo(video("delta", 66));
  const start = ["metadata", "video:config", "audio:config", "video:key", "video:delta"];
  assert.deepEqual(whats(sent), start);
  assert.deepEqual(
    sent.map(({ timestamp }) => timestamp),
    [0, 0, 0, 0, 33],
  );
  assert.equal(calls.lives, 1);
});

test("a new configuration in mid-stream comes with new metadata, before its IDR picture", () => {
  const { transponder, sent, link } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 0));
  transponder.onVideo(video("key", 0));
  transponder.onVideo(video("config", 2000));
  transponder.onVideo(video("key", 2000));
  assert.deepEqual(whats(sent).slice(4), ["metadata", "video:config", "video:key"]);
});

test("a later connection repeats the start and its timestamps run on", () => {
  const { transponder, sent, link } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 0));
  transponder.onVideo(video("key", 0));
  transponder.disconnect(millis(0));
  transponder.onVideo(video("delta", 1000));
  sent.length = 0;
  transponder.connect(link, micros(5_000_000));
  transponder.onVideo(video("key", 5000));
  assert.deepEqual(whats(sent), ["metadata", "video:config", "audio:config", "video:key"]);
  assert.ok(sent.every(({ timestamp }) => timestamp === 5000));
});

test("what passed between two connections is counted, from the last tag to the first picture", () => {
  const { transponder, link, missed } = destination();
  const fives = (from: number, to: number): void => {
    for (let ms = from; ms < to; ms += 5) transponder.onVideo(video("delta", ms));
  };
  fives(0, 20);
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 20));
  transponder.onVideo(video("key", 20));
  fives(25, 50);
  transponder.disconnect(millis(0));
  fives(50, 100);
  transponder.connect(link, micros(100_000));
  fives(100, 125);
  transponder.onVideo(video("key", 125));
  assert.deepEqual(missed, [undefined, { duration: 80, frames: 15 }]);
  assert.equal(transponder.framesLost, 15);
  assert.equal(transponder.counters.framesDropped, 0);
});

test("what a silent destination did not take was missed too", () => {
  const { transponder, link, missed } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 0));
  for (let ms = 10; ms <= 100; ms += 10) transponder.onVideo(video("delta", ms));
  transponder.disconnect(millis(50));
  transponder.connect(link, micros(150_000));
  transponder.onVideo(video("key", 150));
  assert.deepEqual(missed[1], { duration: 100, frames: 5 });
});

test("a destination that was not written to any more has missed what waited, and no more", () => {
  const { transponder, link, socket, missed } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 0, 1));
  for (let ms = 10; ms <= 50; ms += 10) transponder.onVideo(video("delta", ms, 1));
  socket.full = true;
  for (let ms = 60; ms <= 100; ms += 10) transponder.onVideo(video("delta", ms, 1));
  transponder.disconnect(millis(80));
  transponder.connect(link, micros(150_000));
  transponder.onVideo(video("key", 150));
  assert.deepEqual(missed[1], { duration: 130, frames: 8 });
});

test("an attempt that came to nothing does not begin the count anew", () => {
  const { transponder, link, missed } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 0));
  transponder.disconnect(millis(0));
  transponder.onVideo(video("delta", 100));
  transponder.connect(link, micros(0));
  transponder.disconnect(millis(0));
  transponder.onVideo(video("delta", 200));
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 300));
  assert.deepEqual(missed[1], { duration: 300, frames: 2 });
});

test("what the socket and the playout hold counts against the budget", () => {
  const { transponder, link, socket } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 0));
  socket.full = true;
  transponder.onVideo(video("delta", 33, 10));
  socket.waiting = 950;
  transponder.onVideo(video("delta", 66, 40));
  assert.equal(transponder.counters.framesDropped, 0);
  transponder.onVideo(video("delta", 99, 20));
  assert.equal(transponder.counters.framesDropped, 2);
});

test("timestamps run on exactly past 2^32 ms, fifty days into a push", () => {
  const { transponder, sent, link } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 0));
  transponder.onVideo(video("key", 0));
  sent.length = 0;
  const wrap = 2 ** 32;
  for (const ms of [wrap - 34, wrap - 1, wrap, wrap + 33]) transponder.onVideo(video("key", ms));
  assert.deepEqual(
    sent.map(({ timestamp }) => timestamp),
    [wrap - 34, wrap - 1, wrap, wrap + 33],
  );
});

test("a stream without pictures goes out as audio alone after the wait", () => {
  const { transponder, sent, link } = destination();
  transponder.connect(link, micros(0));
  transponder.onAudio(audio(1));
  transponder.tick(micros(999_999));
  transponder.onAudio(audio(47));
  assert.deepEqual(sent, []);
  transponder.tick(micros(1_000_000));
  transponder.onAudio(audio(48));
  assert.deepEqual(whats(sent), ["metadata", "audio:config", "audio:frame"]);
});

test("when pictures are lost to a slow destination, audio goes on and video returns with a keyframe", () => {
  const { transponder, sent, link, socket, calls } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("config", 0));
  transponder.onVideo(video("key", 0));
  socket.full = true;
  for (let at = 1; at <= 12; at += 1) transponder.onVideo(video("delta", at * 33));
  assert.equal(calls.keyframes, 1);
  socket.full = false;
  sent.length = 0;
  transponder.drained();
  transponder.onVideo(video("delta", 500));
  transponder.onAudio(audio(30));
  transponder.onVideo(video("key", 700));
  assert.deepEqual(whats(sent), ["audio:frame", "video:key"]);
  assert.ok(transponder.counters.framesDropped >= 10);
});

test("whatever happens, no picture comes before its IDR picture and no timestamp goes back", () => {
  const event = fc.constantFrom(
    "key",
    "delta",
    "delta",
    "delta",
    "config",
    "audio",
    "full",
    "drained",
    "reconnect",
    "mute",
    "tick",
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const { transponder, sent, link, socket } = destination();
      let ms = 0;
      const connections: Sent[][] = [];
      const reconnect = (): void => {
        connections.push(sent.splice(0));
        transponder.disconnect(millis(0));
        socket.full = false;
        transponder.connect(link, micros(ms * 1000));
      };
      reconnect();
      for (const e of events) {
        ms += 33;
        if (e === "key" || e === "delta" || e === "config") transponder.onVideo(video(e, ms, 300));
        else if (e === "audio") transponder.onAudio(audio(Math.ceil((ms * 48) / 1024)));
        else if (e === "full") socket.full = true;
        else if (e === "mute") transponder.setMuted(!transponder.muted);
        else if (e === "tick") transponder.tick(micros(ms * 1000));
        else if (e === "reconnect") reconnect();
        else {
          socket.full = false;
          transponder.drained();
        }
        assert.ok(transponder.backlog.bytes <= options.budget.bytes);
      }
      connections.push(sent.splice(0));
      const last = { video: -1, audio: -1 };
      for (const tags of connections) {
        const firstPicture = tags.findIndex(({ what }) => /video:(key|delta)/.test(what));
        if (firstPicture >= 0) assert.equal(tags[firstPicture]?.what, "video:key");
        for (const { what, timestamp } of tags) {
          const kind = what.startsWith("audio") ? "audio" : "video";
          if (what === "metadata") continue;
          assert.ok(timestamp >= last[kind]);
          last[kind] = timestamp;
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** Sound of a connection: SoundFormat and time of its configuration and its frames. */
const soundOf = (sent: readonly Sent[]): string[] =>
  sent
    .filter(({ what }) => what.startsWith("audio"))
    .map(({ what, timestamp, body }) => `${(body[0] ?? 0) >> 4}${what.slice(5, 8)}@${timestamp}`);

test("each connection has sound in its own form, with silence of that form, and in time after what was sent", () => {
  const { transponder, sent, link, calls } = destination({ muted: true });
  const form = opusForm();
  assert.ok(form !== undefined);
  transponder.connect(link, micros(0), form);
  assert.equal(transponder.soundForm, form);
  transponder.onVideo(video("key", 0));
  for (const slot of [0, 1, 2]) {
    transponder.onAudio({ slot, pts: slotTime(OPUS_GRID, slot), live: undefined });
  }
  assert.deepEqual(soundOf(sent.splice(0)), ["9:co@0", "9:fr@0", "9:fr@20", "9:fr@40"]);
  transponder.disconnect(millis(0));
  transponder.connect(link, micros(60_000));
  assert.equal(transponder.soundForm, options.audio);
  transponder.onVideo(video("key", 0));
  for (const slot of [0, 1, 2, 3]) transponder.onAudio(audio(slot));
  assert.deepEqual(soundOf(sent), ["10:co@40", "10:fr@42", "10:fr@64"]);
  assert.deepEqual(sent.at(-1)?.body, options.audio.silence);
  assert.equal(calls.clipsLost, 0);
});

test("a connection in another form asks for the clip anew, and the live sound stays away until it is there", () => {
  const { transponder, sent, link, calls } = destination();
  const form = opusForm();
  assert.ok(form !== undefined);
  transponder.setClip({ bodies: [Uint8Array.of(0xaf, 1, 7)], loop: true });
  transponder.connect(link, micros(0), form);
  assert.equal(calls.clipsLost, 1);
  transponder.onVideo(video("key", 0));
  const slot = (n: number) => ({ slot: n, pts: slotTime(OPUS_GRID, n), live: Uint8Array.of(0x91) });
  transponder.onAudio(slot(0));
  assert.deepEqual([sent.at(-1)?.body, transponder.wantsLiveAudio], [form.silence, false]);
  transponder.connect(link, micros(0), form);
  assert.equal(calls.clipsLost, 1, "the same form keeps it");
});

test("slots that an earlier frame covers are not sent, unless silence takes their place", () => {
  const { transponder, sent, link } = destination();
  transponder.connect(link, micros(0));
  transponder.onVideo(video("key", 0));
  transponder.onAudio(audio(0));
  transponder.onAudio({ ...audio(1), live: COVERED });
  transponder.setMuted(true);
  transponder.onAudio({ ...audio(2), live: COVERED });
  assert.deepEqual(soundOf(sent), ["10:co@0", "10:fr@0", "10:fr@42"]);
});
