/** Renditions with the real codec process, judged by ffprobe. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { NalType } from "../../src/codec/h264/nal-unit.ts";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import { until } from "../support/audio-engine.ts";
import { decodeErrors, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { avcFrames, Destination, RenditionLab, withLengths } from "../support/rendition-lab.ts";
import { h264Tags, withFlvFile } from "../support/video-lab.ts";

const exec = promisify(execFile);
const labs: RenditionLab[] = [];
after(() => Promise.all(labs.map((lab) => lab.close())));

function openLab(...args: ConstructorParameters<typeof RenditionLab>): RenditionLab {
  const lab = new RenditionLab(...args);
  labs.push(lab);
  return lab;
}

const SMALL = { size: "320x180", fps: 30, seconds: 2, kbps: 400 };
const small = avcFrames(h264Tags(SMALL, 1_000_000));

/** Milliseconds between pictures. */
const gaps = (pictures: readonly VideoTag[]): number[] =>
  pictures.slice(1).map((tag, i) => (tag.pts - (pictures[i] as VideoTag).pts) / 1000);

async function frameTypes(file: string): Promise<string> {
  const entries = ["-show_entries", "frame=pict_type", "-of", "csv=p=0"];
  const { stdout } = await exec("ffprobe", ["-v", "error", "-show_frames", ...entries, file]);
  const lines = stdout.split("\n");
  return lines.map((line) => line.charAt(0)).join("");
}

/** Mean luma of every picture. */
async function luma(file: string): Promise<number[]> {
  const graph = `movie=${file},signalstats`;
  const entries = ["-show_entries", "frame_tags=lavfi.signalstats.YAVG", "-of", "csv=p=0"];
  const { stdout } = await exec("ffprobe", ["-v", "error", "-f", "lavfi", "-i", graph, ...entries]);
  return stdout.trim().split("\n").map(Number.parseFloat);
}

test("rate, keyframes, size and bitrate stay as asked while the source changes its size and shape", async () => {
  const lab = openLab();
  const made = [
    { size: "640x360", fps: 30, seconds: 2, kbps: 1200 },
    { size: "320x180", fps: 30, seconds: 1, kbps: 400 },
    { size: "180x320", fps: 24, seconds: 2, kbps: 400 },
  ];
  const starts = [1_000_000, 3_000_000, 4_000_000];
  const frames = made.flatMap((m, i) => avcFrames(h264Tags(m, starts[i])));
  const wish = { height: 180, fps: 25, bitrate: 300, keyFrameInterval: 20 };
  const rendition = lab.acquire("p", wish);
  await lab.started();
  const destination = new Destination();
  rendition.join(destination, lab.now);
  lab.run(frames, 6000);
  await until("all pictures", () => destination.pts >= 5_940_000);
  const { pictures } = destination;
  assert.ok(
    gaps(pictures).every((gap) => gap === 40),
    `${gaps(pictures)}`,
  );
  assert.ok(pictures.every(({ role }, i) => role === (i % 20 === 0 ? "key" : "delta")));
  assert.equal(destination.tags.filter(({ role }) => role === "config").length, 1);
  for (const { body } of pictures.filter(({ role }) => role === "key")) {
    assert.ok(withLengths(body.subarray(5)).some(({ type }) => type === NalType.idr));
  }
  const bits = pictures.map(({ body }) => 8 * body.byteLength);
  for (let from = 0; from + 25 <= bits.length; from += 1) {
    const second = bits.slice(from, from + 25).reduce((sum, n) => sum + n, 0);
    assert.ok(second <= 2 * 300_000, `${second} bits in a second: more than rate and buffer`);
  }
  const mean = (bits.reduce((sum, n) => sum + n, 0) * 25) / bits.length;
  assert.ok(mean < 330_000, `${mean} bits per second`);
  assert.equal(rendition.videoFormat?.frameRate, 25);
  await withFlvFile(destination.tags, async (file) => {
    const [video] = await streamsOf(file);
    assert.equal(`${video?.width}x${video?.height} ${video?.profile}`, "320x180 Main");
    assert.match(await frameTypes(file), /^(IP{19})+IP*$/);
    assert.equal(await decodeErrors(file), "");
    assert.equal((await packetsOf(file)).length, pictures.length);
  });
});

test("a source of 5 frames per second that freezes is shown at the constant rate and at its own times", async () => {
  const lab = openLab();
  const plain = (color: string, from: number, seconds: number) =>
    avcFrames(h264Tags({ size: "160x90", fps: 5, seconds, color }, from * 1_000_000));
  const frames = [
    ...plain("black", 1, 1),
    ...plain("white", 2, 1),
    // Nothing comes for two seconds.
    ...plain("black", 5, 1),
  ];
  const rendition = lab.acquire("p", { fps: 30 });
  await lab.started();
  const destination = new Destination();
  rendition.join(destination, lab.now);
  lab.run(frames, 6500);
  await until("all pictures", () => destination.pts >= 6_250_000);
  const { pictures } = destination;
  assert.ok(gaps(pictures).every((gap) => gap > 33 && gap < 34));
  const first = pictures[0]?.pts ?? 0;
  assert.ok(Math.abs(first - 1_000_000) <= 25_000, `the first at ${first}`);
  await withFlvFile(destination.tags, async (file) => {
    const bright = (await luma(file)).map((y) => y > 128);
    const turns = bright.flatMap((on, i) =>
      i > 0 && on !== bright[i - 1] ? [pictures[i]?.pts ?? 0] : [],
    );
    assert.equal(turns.length, 2, `${turns}`);
    for (const [i, at] of [2_000_000, 5_000_000].entries()) {
      assert.ok(Math.abs((turns[i] as number) - at) <= 25_000, `${turns[i]} instead of ${at}`);
    }
  });
  assert.equal(lab.renditions.stats()[0]?.framesDropped, 0);
});

test("an encoder begins with the newest picture of the current group, and its sound from there on", async () => {
  const lab = openLab();
  lab.run(small, 2500);
  const rendition = lab.acquire("p", { bitrate: 200 });
  const destination = new Destination();
  rendition.join(destination, lab.now);
  await lab.started();
  await until("a picture", () => destination.pictures.length > 0);
  const first = destination.pictures[0] as VideoTag;
  assert.equal(first.role, "key");
  assert.ok(first.pts >= 2_400_000 && first.pts <= 2_500_000, `${first.pts}`);
  assert.deepEqual(lab.asked, []);
  lab.run(
    small.filter(({ pts }) => pts > 2_500_000),
    3000,
  );
  const heard = destination.slots.map(({ slot }) => slot);
  assert.ok((destination.slots[0]?.pts ?? 0) - first.pts < 100_000);
  assert.deepEqual(
    heard,
    heard.map((_, i) => (heard[0] as number) + i),
  );
});

test("equal wishes share one encoder, which ends with its last push", async () => {
  const lab = openLab();
  const [a, b] = [lab.acquire("a", { height: 90 }), lab.acquire("b", { height: 90, width: 160 })];
  const other = lab.acquire("c", { height: 96 });
  assert.equal(a, b);
  assert.notEqual(a, other);
  await lab.started(2);
  assert.equal(lab.pids().length, 2);
  assert.deepEqual(
    lab.renditions.stats().map(({ pushes }) => pushes),
    [2, 1],
  );
  lab.release("c");
  lab.release("a");
  await until("one has ended", () => lab.pids().filter(isAlive).length === 1);
  lab.release("b");
  await until("the other has ended", () => lab.pids().filter(isAlive).length === 0);
  assert.deepEqual(lab.failed, []);
});

test("no encoder is started where transcoding is off or the machine has no room", async () => {
  const off = openLab({}, { disabled: true });
  assert.throws(() => off.acquire("p", { height: 90 }), { code: "transcodingDisabled" });
  const full = openLab({}, { cpuCeiling: 0.85, busy: 0.8 });
  full.run([], 4000);
  assert.throws(() => full.acquire("p", { height: 720, width: 1280 }), {
    code: "transcoderOverloaded",
    message: /^80 % of the machine are in use, this needs \d+ % more$/,
  });
  full.acquire("q", { height: 16, fps: 1 });
  await full.started();
  assert.equal(full.pids().length, 1);
  assert.equal(off.pids().length, 0);
});

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test("a codec process that is killed fails its pushes alone; joining again restores size and time", async () => {
  const lab = openLab();
  const rendition = lab.acquire("a", { height: 90 });
  await lab.started();
  const other = lab.acquire("b", { height: 96 });
  await lab.started(2);
  const [lost, kept, back] = [new Destination(), new Destination(), new Destination()];
  rendition.join(lost, lab.now);
  other.join(kept, lab.now);
  lab.run(
    small.filter(({ pts }) => pts < 2_000_000),
    2000,
  );
  await until("pictures", () => lost.pts > 1_900_000 && kept.pts > 1_900_000);
  const [first] = lab.pids();
  process.kill(first as number, "SIGKILL");
  await until("the failure", () => lab.failed.length > 0);
  assert.deepEqual(lab.failed, ["a: transcoderFailed"]);
  rendition.leave(lost, lab.now);
  // The source has changed its size meanwhile; the output must not.
  const later = avcFrames(h264Tags({ ...SMALL, size: "160x120" }, 2_000_000));
  rendition.join(back, lab.now);
  await lab.started(3);
  lab.run(later, 4000);
  await until("pictures again", () => back.pts > 3_900_000 && kept.pts > 3_900_000);
  const size = ({ tags }: Destination) =>
    withFlvFile(tags, async (file) =>
      (await streamsOf(file)).map(({ width, height }) => `${width}x${height}`),
    );
  assert.deepEqual(await size(back), await size(lost));
  assert.ok((back.pictures[0] as VideoTag).pts > lost.pts);
  assert.equal(back.pictures[0]?.role, "key");
});

test("a codec process that hangs is killed, and its pushes fail with a reason", async () => {
  const lab = openLab({ silenceMs: 400 });
  const rendition = lab.acquire("a", { height: 90 });
  await lab.started();
  const destination = new Destination();
  rendition.join(destination, lab.now);
  process.kill(lab.pids()[0] as number, "SIGSTOP");
  lab.run(small, 1500);
  await until("the failure", () => lab.failed.length > 0);
  assert.deepEqual(lab.failed, ["a: transcoderFailed"]);
  assert.ok(lab.events.some((event) => event.kind === "ended" && event.reason === "it hung"));
});
