import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures, PushFigures, StreamFigures, WorkerFigures } from "./figures.ts";
import { Metrics } from "./metrics.ts";

const pushFigures = (push: string, bytesSent: number): PushFigures => ({
  push,
  bitrate: 1000,
  backlogBytes: 7,
  backlogMs: bytesSent,
  bytesSent,
  framesSent: 3,
  framesDropped: 1,
  framesLost: 0,
  outageMs: 0,
  reconnects: 0,
  keyframeInterval: 2000,
});

const streamFigures = (session: string): StreamFigures => ({
  session,
  height: 720,
  fps: 30,
  videoBitrate: 500,
  audioBitrate: 50,
  packetsReceived: 9,
  packetsLost: 2,
  packetsRecovered: 1,
  framesReceived: 4,
  framesDropped: 0,
  keyframeRequests: 1,
  roundTrip: undefined,
  videoFrozenMs: 1500,
  skewMs: -20,
});

const worker: WorkerFigures = {
  utilisation: 0.25,
  loopDelayMs: 4,
  cpuSeconds: 1,
  codecCpuSeconds: 0.5,
  videoCpuSeconds: 2,
  codecRestarts: 0,
  residentBytes: 100,
  streams: [],
  pushes: [],
  transcodes: [],
};

const server = (change: Partial<Figures> = {}, stats: Partial<WorkerFigures> = {}): Figures => ({
  players: 0,
  sessions: 1,
  ready: true,
  streams: [],
  pushes: [],
  calls: { states: { held: 2 }, started: 9, answered: 4, ended: { sipBusy: 3 } },
  workerDeaths: 1,
  workers: [{ seat: 0, id: "w1", stats: { ...worker, ...stats } }],
  events: { clients: 3, disconnected: 2 },
  webhooks: { waiting: 4, counts: { delivered: 5, dropped: 1 } },
  cluster: { connected: true, nodes: 3, writes: { written: 6 }, requests: { timeout: 1 } },
  ...change,
});

/** A server with these pushes; every push has sent so many bytes. */
const withPushes = (sent: Readonly<Record<string, number>>, state = "live"): Figures =>
  server(
    {
      pushes: Object.keys(sent).map((id) => ({
        id,
        source: "s",
        destination: "rtmp://h/a",
        state,
        health: 100 - (sent[id] ?? 0) / 10,
      })),
    },
    { pushes: Object.entries(sent).map(([id, bytes]) => pushFigures(id, bytes)) },
  );

/** Value of one line of the text format. */
function value(text: string, line: string): number {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  assert.ok(found, `${line} in\n${text}`);
  return Number(found.slice(line.length + 1));
}

test("a scrape shows what exists at that moment", async () => {
  let now = withPushes({ a: 1, b: 1 });
  const metrics = new Metrics({ maxSeries: 10 }, () => now);
  const text = await metrics.render();
  assert.equal(value(text, 'transponder_pushes{state="live"}'), 2);
  assert.equal(value(text, 'transponder_worker_busy_ratio{worker="0"}'), 0.25);
  assert.equal(value(text, "transponder_ready"), 1);
  assert.equal(value(text, 'transponder_calls{state="held"}'), 2);
  assert.equal(value(text, 'transponder_calls_ended_total{code="sipBusy"}'), 3);
  assert.equal(value(text, "transponder_event_clients"), 3);
  assert.equal(value(text, 'transponder_webhooks_total{result="delivered"}'), 5);
  assert.equal(value(text, "transponder_cluster_nodes"), 3);
  assert.equal(value(text, 'transponder_cluster_requests_total{result="timeout"}'), 1);
  now = server({ ready: false });
  const later = await metrics.render();
  assert.equal(value(later, "transponder_ready"), 0);
  assert.doesNotMatch(later, /transponder_pushes\{/);
});

test("the runtime is watched from the first scrape on, once whoever else scrapes meanwhile", async () => {
  const metrics = new Metrics({ maxSeries: 10 }, () => server());
  const lag = /^nodejs_eventloop_lag_p99_seconds /gm;
  const texts = [...(await Promise.all([metrics.render(), metrics.render()]))];
  texts.push(await metrics.render());
  for (const text of texts) assert.equal(text.match(lag)?.length, 1);
});

test("counters of the server keep what ended pushes and replaced workers have counted", async () => {
  let now = withPushes({ a: 10 });
  const metrics = new Metrics({ maxSeries: 10 }, () => now);
  const bytes = "transponder_output_sent_bytes_total";
  const cpu = 'transponder_worker_cpu_seconds_total{worker="0",process="worker"}';
  assert.equal(value(await metrics.render(), bytes), 10);
  now = withPushes({ a: 25 });
  assert.equal(value(await metrics.render(), bytes), 25);
  now = server({ workers: [{ seat: 0, id: "w2", stats: { ...worker, cpuSeconds: 2 } }] });
  const text = await metrics.render();
  assert.equal(value(text, bytes), 25);
  assert.equal(value(text, cpu), 1 + 2);
});

test("a stream and a push have series of their own, which go with them", async () => {
  let now = server(
    {
      streams: [{ id: "s", name: "my stream" }],
      pushes: [{ id: "p", source: "s", destination: "rtmp://h/a", state: "live", health: 90 }],
    },
    { streams: [streamFigures("s")], pushes: [pushFigures("p", 10)] },
  );
  const metrics = new Metrics({ maxSeries: 10 }, () => now);
  const text = await metrics.render();
  assert.equal(value(text, 'transponder_stream_bits_per_second{stream="s",kind="video"}'), 500);
  assert.equal(value(text, 'transponder_stream_packets_total{stream="s",result="lost"}'), 2);
  assert.equal(value(text, 'transponder_stream_skew_seconds{stream="s"}'), -0.02);
  assert.equal(value(text, 'transponder_stream_frozen_seconds_total{stream="s"}'), 1.5);
  assert.doesNotMatch(text, /round_trip_seconds\{/);
  assert.equal(value(text, 'transponder_push_sent_bytes_total{push="p"}'), 10);
  assert.equal(value(text, 'transponder_stream_info{stream="s",name="my stream"}'), 1);
  const info = 'transponder_push_info{push="p",stream="s",destination="rtmp://h/a"}';
  assert.equal(value(text, info), 1);
  now = server();
  assert.doesNotMatch(await metrics.render(), /stream="s"|push="p"/);
});

test("video encoders show what each costs, and their frames as a sum", async () => {
  const transcode = (id: number, cpuRatio: number) => ({
    id,
    index: id - 1,
    cpuRatio,
    framesIn: 10,
    framesOut: 12,
    framesRepeated: 3,
    framesDropped: 1,
  });
  const now = server({}, { transcodes: [transcode(1, 0.25), transcode(2, 0.5)] });
  const text = await new Metrics({ maxSeries: 1 }, () => now).render();
  assert.equal(value(text, "transponder_transcodes"), 2);
  const cores = (index: number) =>
    `transponder_transcode_cpu_cores{worker="0",transcode="${index}"}`;
  assert.equal(value(text, cores(0)), 0.25);
  assert.equal(value(text, cores(1)), 0.5);
  assert.equal(value(text, 'transponder_transcode_frames_total{result="out"}'), 24);
});

test("who comes when all labels are taken shares one, for life, and its counters never go back", async () => {
  let now = withPushes({ a: 1, b: 10, c: 100 });
  const metrics = new Metrics({ maxSeries: 1 }, () => now);
  const sent = (push: string): string => `transponder_push_sent_bytes_total{push="${push}"}`;
  const first = await metrics.render();
  assert.equal(value(first, sent("a")), 1);
  assert.equal(value(first, sent("other")), 110);
  assert.equal(value(first, 'transponder_push_backlog_seconds{push="other"}'), 0.1);
  assert.equal(value(first, 'transponder_push_backlog_bytes{push="other"}'), 14);
  assert.equal(value(first, 'transponder_push_health_ratio{push="other"}'), 0.9);
  assert.doesNotMatch(first, /push="[bc]"/);
  now = withPushes({ b: 11, c: 100, d: 1000 });
  const second = await metrics.render();
  assert.equal(value(second, sent("other")), 111);
  assert.equal(value(second, sent("d")), 1000);
  assert.doesNotMatch(second, /push="[abc]"/);
  now = withPushes({ d: 1000 });
  assert.equal(value(await metrics.render(), sent("other")), 111);
});

test("ends and refusals are counted once, however often it is looked", async () => {
  const metrics = new Metrics({ maxSeries: 1 }, () => server());
  metrics.ended("push", "authFailed");
  metrics.ended("stream", "stopped");
  metrics.refused(401);
  await metrics.render();
  const text = await metrics.render();
  assert.equal(value(text, 'transponder_pushes_ended_total{code="authFailed"}'), 1);
  assert.equal(value(text, 'transponder_streams_ended_total{code="stopped"}'), 1);
  assert.equal(value(text, 'transponder_http_refusals_total{status="401"}'), 1);
  assert.equal(value(text, "transponder_worker_deaths_total"), 1);
});
