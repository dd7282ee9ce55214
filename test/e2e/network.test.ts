/** Pictures and sound over bad networks, from publishers of our own to nginx-rtmp. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { launchChromium } from "../support/chromium.ts";
import { decodeErrors } from "../support/ffprobe.ts";
import { BrowserPublisher } from "../support/lab/browser-publisher.ts";
import type { ReceivedMedia } from "../support/lab/flv-file.ts";
import { judge, type Verdict } from "../support/lab/judge.ts";
import { type Lab, type LabStream, seconds, startLab } from "../support/lab/lab.ts";
import { lipSync } from "../support/lab/lip-sync.ts";
import { BROWSER } from "../support/lab/publisher.ts";
import {
  FLASH,
  HD,
  type RecordingOptions,
  readRecording,
  SMALL,
} from "../support/lab/recording.ts";
import { CLEAN, type NetworkProfile } from "../support/lab/relay.ts";
import type { SenderPlan } from "../support/lab/rtp-sender.ts";
import { until } from "../support/server.ts";
import { WcsClient } from "../support/wcs-client.ts";

let lab: Lab;
before(async () => {
  lab = await startLab();
});
after(() => lab.close());

interface Outcome extends Verdict {
  readonly media: ReceivedMedia;
  readonly file: string;
  readonly stream: LabStream;
}

/** Publishes and pushes for so many seconds of pictures, and holds what arrived against what was sent. */
async function run(
  recording: RecordingOptions,
  sender: SenderPlan,
  options: { readonly network?: NetworkProfile; readonly length: number },
): Promise<Outcome> {
  const stream = await lab.publish(recording, sender, options.network ?? CLEAN);
  await lab.push(stream);
  await lab.recorded(stream, seconds(options.length));
  const { pictures } = await stream.publisher.stop();
  const { file, media } = await lab.recorded(stream, seconds(options.length));
  return { ...judge(readRecording(recording), pictures, media), media, file, stream };
}

/** A viewer sees whole pictures only, and hears a row of sounds without a hole. */
async function assertSound({ broken, undecodable, backward, media, file }: Outcome): Promise<void> {
  assert.deepEqual({ broken, undecodable, backward }, { broken: 0, undecodable: 0, backward: 0 });
  assert.equal(await decodeErrors(file), "");
  const times = media.sounds.map(({ timestamp }) => timestamp);
  const largest = Math.max(...times.slice(1).map((time, at) => time - (times[at] as number)));
  assert.ok(largest <= 22, `a hole of ${largest} ms in the sound`);
}

/** Round trips of 50 ms. */
const lossy = (loss: number): NetworkProfile => ({
  seed: 7,
  up: { loss, delayMs: 25, jitterMs: 3, reorder: 0.02, reorderMs: 8, duplicates: 0.01 },
  down: { loss, delayMs: 25 },
});

test("at 3 % loss each way, with reordering and duplicates, what arrives is byte for byte what was sent", async () => {
  const outcome = await run(HD, BROWSER, { network: lossy(0.03), length: 5 });
  await assertSound(outcome);
  assert.ok(lab.relay.up.lost > 20, `${lab.relay.up.lost} lost`);
  const { arrived, sent } = outcome;
  assert.ok(arrived >= 0.97 * sent, `${arrived} of ${sent}`);
});

test("bursts of 20 % freeze the picture and never corrupt it, and the sound goes on", async () => {
  const bursts = { everyMs: 2000, lengthMs: 1000, loss: 0.2 };
  const network = { seed: 3, up: { delayMs: 25, bursts }, down: { delayMs: 25, bursts } };
  const outcome = await run(HD, BROWSER, { network, length: 5 });
  await assertSound(outcome);
  assert.ok(lab.relay.up.lost > 50, `${lab.relay.up.lost} lost`);
  assert.ok(outcome.arrived >= 0.7 * outcome.sent, `${outcome.arrived} of ${outcome.sent}`);
});

const SHAPES: Readonly<Record<string, readonly [RecordingOptions, SenderPlan]>> = {
  "parameter sets each in a packet of its own, several slices, profile 42001f": [
    { ...SMALL, sliceBytes: 1000 },
    { ...BROWSER, shape: "separate", profile: "42001f" },
  ],
  "PPS and IDR slice in one packet": [
    { ...SMALL, sliceBytes: 1000 },
    { ...BROWSER, shape: "ppsWithIdr" },
  ],
  "packetization-mode 0": [
    { ...SMALL, sliceBytes: 1000 },
    { ...BROWSER, shape: "single" },
  ],
  "sequence numbers and timestamps that wrap": [
    SMALL,
    {
      video: { firstSequence: 0xffe0, firstTimestamp: 2 ** 32 - 90_000 },
      audio: { firstSequence: 0xffe0, firstTimestamp: 2 ** 32 - 48_000 },
    },
  ],
};

test("whatever shape a sender gives its pictures, each arrives as it was sent", async () => {
  const outcomes = Object.entries(SHAPES).map(async ([name, [recording, sender]]) => {
    const outcome = await run(recording, sender, { length: 3 });
    await assertSound(outcome);
    assert.equal(outcome.arrived, outcome.sent, name);
    assert.equal(outcome.media.configurations.length, 1, name);
  });
  await Promise.all(outcomes);
});

const REPORTS: Readonly<Record<string, SenderPlan>> = {
  "with sender reports": {
    video: { delayMs: 90, reports: { firstMs: 100, everyMs: 1000 } },
    audio: { delayMs: 5, reports: { firstMs: 50, everyMs: 1000 } },
  },
  "without sender reports": { video: { delayMs: 20 }, audio: { delayMs: 5 } },
  "with a first report that says nothing, and a wall clock that jumps": {
    video: {
      delayMs: 25,
      reports: {
        firstMs: 100,
        everyMs: 700,
        firstWithoutTime: true,
        wallJumps: [{ atMs: 1500, byMs: 7_200_000 }],
      },
    },
    audio: {
      reports: {
        firstMs: 100,
        everyMs: 900,
        firstWithoutTime: true,
        wallJumps: [{ atMs: 1500, byMs: 7_200_000 }],
      },
    },
  },
};

test("flash and beep come out together from the first second on", async () => {
  const outcomes = Object.entries(REPORTS).map(async ([name, sender]) => {
    const { file } = await run(FLASH, { ...sender, keyframes: "wait" }, { length: 4 });
    const points = (await lipSync(file)).filter(({ at }) => at >= 1000);
    assert.ok(points.length >= 2, `${points.length} flashes ${name}`);
    for (const { at, soundLaterMs } of points) {
      assert.ok(Math.abs(soundLaterMs) <= 40, `${soundLaterMs} ms at ${at} ms ${name}`);
    }
  });
  await Promise.all(outcomes);
});

test("a push of a stream that is live already begins with a keyframe and with sound", async () => {
  const stream = await lab.publish(SMALL, BROWSER);
  await lab.server.restUntil("/stream/find", { name: stream.name }, (_status, body) => {
    const [found] = Array.isArray(body) ? (body as { width: number }[]) : [];
    return (found?.width ?? 0) > 0;
  });
  await lab.push(stream);
  const { media } = await lab.recorded(stream, seconds(1));
  await stream.publisher.stop();
  const [picture] = media.pictures;
  assert.deepEqual([picture?.key, picture?.timestamp], [true, 0]);
  const first = media.sounds[0]?.timestamp ?? Number.NaN;
  assert.ok(first <= 22, `sound from ${first} ms on`);
});

test("a browser reaches the bitrate that its page asks for, and keeps below it", async () => {
  const browser = await launchChromium();
  const wcs = await WcsClient.open(lab.server.wsUrl);
  try {
    for (const [key, kbps] of [
      ["maxBitrate", 600],
      ["bitrate", 1500],
    ] as const) {
      const camera = { width: 640, height: 360, fps: 15 };
      const publisher = await BrowserPublisher.open(browser, lab.server.httpUrl, camera);
      const mediaSessionId = randomUUID();
      const flags = { hasVideo: true, hasAudio: true, published: true };
      const common = { mediaSessionId, name: randomUUID(), sdp: publisher.offer, ...flags };
      wcs.say("publishStream", { ...common, [key]: kbps });
      const answer = await until("the answer", async () =>
        wcs.messages.find(
          ({ message, data }) => message === "setRemoteSDP" && data[0] === mediaSessionId,
        ),
      );
      await publisher.accept(String(answer.data[1]));
      const most = 1000 * kbps;
      await until("the bitrate asked for", async () => {
        const { available, bytes } = await publisher.stats();
        return bytes > 50_000 && available >= 0.95 * most ? true : undefined;
      });
      const { available } = await publisher.stats();
      assert.ok(available <= most, `${available} of ${most}`);
      await publisher.close();
    }
  } finally {
    wcs.close();
    await browser.close();
  }
});
