/** Publishers of every kind: one track only, tracks that come late or fall silent, simulcast, other browsers. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { parseDecoderConfig } from "../../src/codec/h264/decoder-config.ts";
import { launchChromium, type TestBrowser } from "../support/chromium.ts";
import { decodeErrors, loudness, streamsOf } from "../support/ffprobe.ts";
import { BrowserPublisher, type CameraOptions } from "../support/lab/browser-publisher.ts";
import type { ReceivedMedia } from "../support/lab/flv-file.ts";
import { judge } from "../support/lab/judge.ts";
import { type Lab, seconds, startLab } from "../support/lab/lab.ts";
import { lipSync } from "../support/lab/lip-sync.ts";
import { BROWSER } from "../support/lab/publisher.ts";
import { FLASH, type RecordingOptions, readRecording, SMALL } from "../support/lab/recording.ts";
import type { SenderPlan } from "../support/lab/rtp-sender.ts";

let lab: Lab;
let browser: TestBrowser;
before(async () => {
  [lab, browser] = await Promise.all([startLab(), launchChromium()]);
});
after(() => Promise.all([lab.close(), browser.close()]));

interface Outcome {
  readonly file: string;
  readonly media: ReceivedMedia;
}

const last = (tags: readonly { readonly timestamp: number }[]): number =>
  tags.at(-1)?.timestamp ?? 0;
/** True when sound reaches so many seconds of the destination's time. */
const heard =
  (length: number) =>
  ({ sounds }: ReceivedMedia): boolean =>
    last(sounds) >= 1000 * length;

const steps = (tags: readonly { readonly timestamp: number }[]): number[] =>
  tags.slice(1).map(({ timestamp }, at) => timestamp - (tags[at]?.timestamp ?? 0));

/** What every destination may expect: sound without a hole, times that never go back, nothing broken. */
async function assertWhole({ file, media }: Outcome): Promise<void> {
  assert.equal(await decodeErrors(file), "");
  assert.ok(Math.max(...steps(media.sounds)) <= 22, "a hole in the sound");
  assert.ok(Math.min(0, ...steps(media.sounds), ...steps(media.pictures)) === 0, "back in time");
}

/** Publishes and pushes until the destination has enough. */
async function run(
  recording: RecordingOptions,
  sender: SenderPlan,
  enough: (media: ReceivedMedia) => boolean,
) {
  const stream = await lab.publish(recording, sender);
  await lab.push(stream);
  await lab.recorded(stream, enough);
  const { pictures, counts } = await stream.publisher.stop();
  const outcome = await lab.recorded(stream, enough);
  await assertWhole(outcome);
  return { ...outcome, pictures, counts };
}

const kinds = async (file: string): Promise<string[]> =>
  (await streamsOf(file)).map(({ codec_name }) => codec_name).sort();

test("a microphone alone arrives as sound alone, a camera alone with silence", async () => {
  const [sound, picture] = await Promise.all([
    run(SMALL, { audio: {} }, heard(2)),
    run(SMALL, { video: {} }, seconds(2)),
  ]);
  assert.deepEqual(await kinds(sound.file), ["aac"]);
  assert.ok((await loudness(sound.file, 0.5, 1)) > -40);
  assert.deepEqual(await kinds(picture.file), ["aac", "h264"]);
  assert.ok((await loudness(picture.file, 0.5, 1)) < -80);
  assert.ok(Math.abs(last(picture.media.sounds) - last(picture.media.pictures)) < 300);
  const { broken, undecodable, freezes } = judge(
    readRecording(SMALL),
    picture.pictures,
    picture.media,
  );
  assert.deepEqual({ broken, undecodable, freezes }, { broken: 0, undecodable: 0, freezes: [] });
});

const LATE: Readonly<Record<string, SenderPlan>> = {
  "the microphone": { video: BROWSER.video ?? {}, audio: { ...BROWSER.audio, fromMs: 2500 } },
  "the camera": { audio: BROWSER.audio ?? {}, video: { ...BROWSER.video, fromMs: 2500 } },
};

test("a track that begins seconds after the other one takes over, in sync", async () => {
  const outcomes = Object.entries(LATE).map(async ([name, sender]) => {
    const { file, media } = await run(FLASH, { ...sender, keyframes: "wait" }, heard(5.5));
    assert.deepEqual(await kinds(file), ["aac", "h264"], name);
    const points = (await lipSync(file)).filter(({ at }) => at >= 3500);
    assert.ok(points.length >= 2, `${points.length} flashes with ${name} late`);
    for (const { at, soundLaterMs } of points) {
      assert.ok(Math.abs(soundLaterMs) <= 40, `${soundLaterMs} ms at ${at} ms with ${name} late`);
    }
    assert.ok(Math.max(...steps(media.pictures)) < 100, `a stall with ${name} late`);
  });
  await Promise.all(outcomes);
});

test("what the offers of Firefox and Safari agree on is what arrives", async () => {
  const outcomes = (["firefox", "safari"] as const).map(async (name) => {
    const { media, pictures, counts } = await run(SMALL, { ...BROWSER, browser: name }, seconds(2));
    const verdict = judge(readRecording(SMALL), pictures, media);
    assert.deepEqual([verdict.arrived, verdict.broken], [verdict.sent, 0], name);
    assert.ok(counts.feedback > 0 && counts.bitrateCap > 0, name);
  });
  await Promise.all(outcomes);
});

/** Publishes a camera of Chromium and pushes it. */
async function publish(camera: CameraOptions) {
  const name = randomUUID();
  const publisher = await BrowserPublisher.open(browser, lab.server.httpUrl, camera);
  await publisher.whip(`${lab.server.httpUrl}/whip/${name}`);
  await lab.push({ name });
  const recorded = (enough: (media: ReceivedMedia) => boolean) => lab.recorded({ name }, enough);
  return { publisher, recorded };
}

test("one picture a second, as of a camera that is off, stops neither picture nor sound", async () => {
  const still: RecordingOptions = { ...SMALL, fps: 1, gop: 5 };
  const { media, pictures } = await run(still, BROWSER, heard(4));
  const verdict = judge(readRecording(still), pictures, media);
  assert.deepEqual([verdict.arrived, verdict.broken], [verdict.sent, 0]);
  assert.ok(media.pictures.length >= 4, `${media.pictures.length} pictures`);
  assert.ok(Math.max(...steps(media.pictures)) < 1500, `${steps(media.pictures)}`);
});

/** Large enough for Chromium to send three layers. */
const CAMERA: CameraOptions = { width: 1280, height: 720, fps: 15, device: true };

test("a camera that is switched off and a muted microphone stop neither picture nor sound", async () => {
  const { publisher, recorded } = await publish({ ...CAMERA, width: 640, height: 360 });
  const on = last((await recorded(seconds(1))).media.sounds);
  await publisher.enable("video", false);
  const off = last((await recorded(heard(on / 1000 + 3.5))).media.sounds);
  await publisher.enable("video", true);
  await publisher.enable("audio", false);
  const outcome = await recorded(heard(off / 1000 + 3));
  await publisher.close();
  await assertWhole(outcome);
  const between = (from: number, to: number): number =>
    outcome.media.pictures.filter(({ timestamp }) => timestamp >= from && timestamp < to).length;
  const dark = between(on + 500, on + 3500);
  assert.ok(dark >= 2, `${dark} pictures in 3 s without a camera`);
  const bright = between(off + 1000, off + 2500);
  assert.ok(bright >= 5, `${bright} pictures in 1.5 s after it`);
  assert.ok((await loudness(outcome.file, (off + 1000) / 1000, 1.5)) < -60);
});

const widths = ({ configurations }: ReceivedMedia): number[] =>
  configurations.map((record) => parseDecoderConfig(record).width);

test("of a simulcast browser the largest picture arrives, whatever the order of its layers", async () => {
  const orders = [
    { q: 4, h: 2, f: 1 },
    { hi: 1, lo: 2 },
  ];
  for (const layers of orders) {
    const { publisher, recorded } = await publish({ ...CAMERA, layers });
    await recorded((media) => widths(media).at(-1) === CAMERA.width);
    const { media: before } = await recorded(seconds(2));
    const outcome = await recorded(heard(last(before.pictures) / 1000 + 1));
    await publisher.close();
    await assertWhole(outcome);
    assert.equal(widths(outcome.media).at(-1), CAMERA.width);
    const longest = Math.max(...steps(outcome.media.pictures));
    assert.ok(longest < 700, `${longest} ms without a picture`);
  }
});
