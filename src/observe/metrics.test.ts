import assert from "node:assert/strict";
import { test } from "node:test";
import { type Figures, Metrics } from "./metrics.ts";

const push = (bytesSent: number) => ({
  push: "p1",
  bitrate: 1000,
  backlogBytes: 7,
  bytesSent,
  framesSent: 3,
  framesDropped: 1,
  reconnects: 0,
});

const transcode = (id: number, cpuRatio: number) => ({
  id,
  index: id - 1,
  cpuRatio,
  framesIn: 10,
  framesOut: 12,
  framesRepeated: 3,
  framesDropped: 1,
});

const figures = (
  pushes: readonly ReturnType<typeof push>[],
  cpuSeconds = 1,
  id = "w1",
): Figures => ({
  streams: 2,
  players: 0,
  sessions: 1,
  pushStates: ["live", "live", "connecting"],
  workerDeaths: 1,
  workers: [
    {
      seat: 0,
      id,
      stats: {
        utilisation: 0.25,
        cpuSeconds,
        codecCpuSeconds: 0.5,
        videoCpuSeconds: 2,
        codecRestarts: 0,
        residentBytes: 100,
        streams: [],
        pushes,
        transcodes: [transcode(1, 0.25), transcode(2, 0.5)],
      },
    },
  ],
});

/** Value of one line of the text format. */
function value(text: string, line: string): number {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  assert.ok(found, `${line} in\n${text}`);
  return Number(found.slice(line.length + 1));
}

test("a scrape shows what exists at that moment", async () => {
  let now = figures([push(10)]);
  const metrics = new Metrics(() => now);
  const text = await metrics.render();
  assert.equal(value(text, "transponder_streams"), 2);
  assert.equal(value(text, 'transponder_pushes{state="live"}'), 2);
  assert.equal(value(text, 'transponder_worker_busy_ratio{worker="0"}'), 0.25);
  now = { ...now, streams: 0, pushStates: [] };
  const later = await metrics.render();
  assert.equal(value(later, "transponder_streams"), 0);
  assert.doesNotMatch(later, /transponder_pushes\{/);
});

test("counters keep what ended pushes and replaced workers have counted", async () => {
  let now = figures([push(10)]);
  const metrics = new Metrics(() => now);
  const bytes = "transponder_push_sent_bytes_total";
  const cpu = 'transponder_worker_cpu_seconds_total{worker="0",process="worker"}';
  assert.equal(value(await metrics.render(), bytes), 10);
  now = figures([push(25)], 4);
  assert.equal(value(await metrics.render(), bytes), 25);
  now = figures([], 2, "w2");
  const text = await metrics.render();
  assert.equal(value(text, bytes), 25);
  assert.equal(value(text, cpu), 4 + 2);
});

test("video encoders show what each costs, and their frames as a sum", async () => {
  const text = await new Metrics(() => figures([])).render();
  assert.equal(value(text, "transponder_transcodes"), 2);
  const cores = (index: number) =>
    `transponder_transcode_cpu_cores{worker="0",transcode="${index}"}`;
  assert.equal(value(text, cores(0)), 0.25);
  assert.equal(value(text, cores(1)), 0.5);
  assert.equal(value(text, 'transponder_transcode_frames_total{result="out"}'), 24);
});

test("deaths of workers are counted once, however often it is looked", async () => {
  const metrics = new Metrics(() => figures([]));
  await metrics.render();
  assert.equal(value(await metrics.render(), "transponder_worker_deaths_total"), 1);
});
