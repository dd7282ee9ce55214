import { collectDefaultMetrics, Registry } from "prom-client";
import type {
  Figures,
  PushFigures,
  StreamFigures,
  TranscodeFigures,
  WorkerFigures,
} from "./figures.ts";
import { LabelSlots, OTHER } from "./label-slots.ts";
import { Counters, Gauges } from "./meters.ts";
import {
  COUNTERS,
  GAUGES,
  INFOS,
  PUSH_COUNTERS,
  PUSH_GAUGES,
  STREAM_COUNTERS,
  STREAM_GAUGES,
} from "./metrics-table.ts";

export interface MetricsOptions {
  /** Streams, and as many pushes, that have series of their own. */
  readonly maxSeries: number;
}

/** In this time the delay of the event loop is measured at least once. */
const FIRST_LOOK_MS = 50;

/** The metrics of the program in Prometheus text format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges: Gauges<keyof typeof GAUGES>;
  readonly #counters: Counters<keyof typeof COUNTERS>;
  readonly #series: readonly [StreamSeries, PushSeries];
  readonly #read: () => Figures;
  #runtime: Promise<void> | undefined;

  /** `read` is called on each scrape. */
  constructor({ maxSeries }: MetricsOptions, read: () => Figures) {
    this.#read = read;
    this.#gauges = new Gauges(GAUGES, this.#registry);
    this.#counters = new Counters(COUNTERS, this.#registry);
    const infos = new Gauges(INFOS, this.#registry);
    this.#series = [
      new StreamSeries(this.#registry, infos, maxSeries),
      new PushSeries(this.#registry, infos, maxSeries),
    ];
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A stream or push ended with this code. */
  ended(what: "stream" | "push", code: string): void {
    const name =
      what === "stream" ? "transponder_streams_ended_total" : "transponder_pushes_ended_total";
    this.#counters.add(name, { code });
  }

  /** A request was refused with this status. */
  refused(status: number): void {
    this.#counters.add("transponder_http_refusals_total", { status: String(status) });
  }

  /** The answer to a scrape; the first takes a moment longer. */
  async render(): Promise<string> {
    this.#runtime ??= this.#watchRuntime();
    await this.#runtime;
    const figures = this.#read();
    const stats = figures.workers.flatMap(({ stats: known }) => known ?? []);
    this.#gauges.reset();
    this.#server(figures);
    for (const { seat, id, stats: worker } of figures.workers) {
      if (worker !== undefined) this.#worker(String(seat), id, worker);
    }
    this.#counters.settle();
    const [streams, pushes] = this.#series;
    streams.write(
      figures,
      stats.flatMap((worker) => worker.streams),
    );
    pushes.write(
      figures,
      stats.flatMap((worker) => worker.pushes),
    );
    return this.#registry.metrics();
  }

  /** From the first scrape on: the delay of the event loop costs 100 wake-ups a second, for nobody until then. */
  #watchRuntime(): Promise<void> {
    collectDefaultMetrics({ register: this.#registry });
    return new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_MS));
  }

  #server(figures: Figures): void {
    const gauges = this.#gauges;
    const { events, webhooks } = figures;
    gauges.set("transponder_streams", figures.streams.length);
    gauges.set("transponder_players", figures.players);
    gauges.set("transponder_ws_sessions", figures.sessions);
    for (const { state } of figures.pushes) gauges.join("transponder_pushes", 1, { state });
    for (const [state, count] of Object.entries(figures.calls.states)) {
      gauges.set("transponder_calls", count, { state });
    }
    gauges.set("transponder_ready", figures.ready ? 1 : 0);
    gauges.set("transponder_workers", figures.workers.length);
    gauges.set("transponder_transcodes", 0);
    gauges.set("transponder_event_clients", events.clients);
    gauges.set("transponder_webhooks_waiting", webhooks?.waiting ?? 0);
    const grow = (name: keyof typeof COUNTERS, value: number, labels = {}): void =>
      this.#counters.grow(name, "server", value, labels);
    grow("transponder_worker_deaths_total", figures.workerDeaths);
    grow("transponder_calls_started_total", figures.calls.started);
    grow("transponder_calls_answered_total", figures.calls.answered);
    for (const [code, count] of Object.entries(figures.calls.ended)) {
      grow("transponder_calls_ended_total", count, { code });
    }
    grow("transponder_event_clients_dropped_total", events.disconnected);
    for (const [result, count] of Object.entries(webhooks?.counts ?? {})) {
      grow("transponder_webhooks_total", count, { result });
    }
    if (figures.cluster === undefined) return;
    const { connected, nodes, writes, requests } = figures.cluster;
    gauges.set("transponder_cluster_connected", connected ? 1 : 0);
    gauges.set("transponder_cluster_nodes", nodes);
    for (const [result, count] of Object.entries(writes)) {
      grow("transponder_cluster_writes_total", count, { result });
    }
    for (const [result, count] of Object.entries(requests)) {
      grow("transponder_cluster_requests_total", count, { result });
    }
  }

  #worker(worker: string, id: string, stats: WorkerFigures): void {
    this.#gauges.set("transponder_worker_busy_ratio", stats.utilisation, { worker });
    this.#gauges.set("transponder_worker_loop_delay_seconds", stats.loopDelayMs / 1000, { worker });
    this.#gauges.set("transponder_worker_resident_bytes", stats.residentBytes, { worker });
    const cpu = "transponder_worker_cpu_seconds_total";
    this.#counters.grow(cpu, id, stats.cpuSeconds, { worker, process: "worker" });
    this.#counters.grow(cpu, id, stats.codecCpuSeconds, { worker, process: "codec" });
    this.#counters.grow(cpu, id, stats.videoCpuSeconds, { worker, process: "video" });
    this.#counters.grow("transponder_codec_restarts_total", id, stats.codecRestarts, { worker });
    for (const stream of stats.streams) this.#ingest(stream);
    for (const push of stats.pushes) this.#output(push);
    for (const transcode of stats.transcodes) this.#transcode(worker, id, transcode);
  }

  #ingest(stream: StreamFigures): void {
    const { session } = stream;
    const bits = "transponder_ingest_bits_per_second";
    this.#gauges.join(bits, stream.videoBitrate, { kind: "video" });
    this.#gauges.join(bits, stream.audioBitrate, { kind: "audio" });
    for (const [result, count] of packetsOf(stream)) {
      this.#counters.grow("transponder_ingest_packets_total", session, count, { result });
    }
    for (const [result, count] of framesOf(stream)) {
      this.#counters.grow("transponder_ingest_frames_total", session, count, { result });
    }
    const requests = "transponder_ingest_keyframe_requests_total";
    this.#counters.grow(requests, session, stream.keyframeRequests);
  }

  #transcode(worker: string, process: string, figures: TranscodeFigures): void {
    const labels = { worker, transcode: String(figures.index) };
    this.#gauges.join("transponder_transcodes", 1);
    this.#gauges.set("transponder_transcode_cpu_cores", figures.cpuRatio, labels);
    for (const [result, frames] of encodedOf(figures)) {
      const owner = `${process} ${figures.id}`;
      this.#counters.grow("transponder_transcode_frames_total", owner, frames, { result });
    }
  }

  #output(push: PushFigures): void {
    this.#gauges.join("transponder_output_bits_per_second", push.bitrate);
    this.#gauges.join("transponder_output_backlog_bytes", push.backlogBytes);
    this.#counters.grow("transponder_output_sent_bytes_total", push.push, push.bytesSent);
    for (const [result, count] of outputOf(push)) {
      this.#counters.grow("transponder_output_frames_total", push.push, count, { result });
    }
    this.#counters.grow("transponder_output_reconnects_total", push.push, push.reconnects);
  }
}

type Infos = Gauges<keyof typeof INFOS>;

/** Series of single streams. */
class StreamSeries {
  readonly #gauges: Gauges<keyof typeof STREAM_GAUGES>;
  readonly #counters: Counters<keyof typeof STREAM_COUNTERS>;
  readonly #infos: Infos;
  readonly #slots: LabelSlots;

  constructor(registry: Registry, infos: Infos, capacity: number) {
    this.#gauges = new Gauges(STREAM_GAUGES, registry);
    this.#counters = new Counters(STREAM_COUNTERS, registry);
    this.#infos = infos;
    this.#slots = new LabelSlots(capacity);
  }

  write({ streams }: Figures, measured: readonly StreamFigures[]): void {
    this.#infos.reset();
    this.#gauges.reset();
    for (const gone of this.#slots.update(streams.map(({ id }) => id))) this.#counters.remove(gone);
    for (const { id, name } of streams) {
      const stream = this.#slots.label(id);
      if (stream !== OTHER) this.#infos.set("transponder_stream_info", 1, { stream, name });
    }
    const known = new Set(streams.map(({ id }) => id));
    for (const stream of measured) if (known.has(stream.session)) this.#one(stream);
    this.#counters.settle();
  }

  #one(figures: StreamFigures): void {
    const gauges = this.#gauges;
    const { session, roundTrip, skewMs } = figures;
    const stream = this.#slots.label(session);
    const bits = "transponder_stream_bits_per_second";
    gauges.join(bits, figures.videoBitrate, { stream, kind: "video" });
    gauges.join(bits, figures.audioBitrate, { stream, kind: "audio" });
    gauges.join("transponder_stream_frames_per_second", figures.fps, { stream });
    gauges.join("transponder_stream_height_pixels", figures.height, { stream });
    gauges.join("transponder_stream_round_trip_seconds", seconds(roundTrip), { stream });
    gauges.join("transponder_stream_skew_seconds", seconds(skewMs), { stream });
    const count = (name: keyof typeof STREAM_COUNTERS, value: number, more = {}): void =>
      this.#counters.growOf(stream, name, session, value, { stream, ...more });
    for (const [result, packets] of packetsOf(figures)) {
      count("transponder_stream_packets_total", packets, { result });
    }
    for (const [result, frames] of framesOf(figures)) {
      count("transponder_stream_frames_total", frames, { result });
    }
    count("transponder_stream_keyframe_requests_total", figures.keyframeRequests);
    count("transponder_stream_frozen_seconds_total", figures.videoFrozenMs / 1000);
  }
}

/** Series of single pushes. */
class PushSeries {
  readonly #gauges: Gauges<keyof typeof PUSH_GAUGES>;
  readonly #counters: Counters<keyof typeof PUSH_COUNTERS>;
  readonly #infos: Infos;
  readonly #slots: LabelSlots;

  constructor(registry: Registry, infos: Infos, capacity: number) {
    this.#gauges = new Gauges(PUSH_GAUGES, registry);
    this.#counters = new Counters(PUSH_COUNTERS, registry);
    this.#infos = infos;
    this.#slots = new LabelSlots(capacity);
  }

  /** After the streams, which begin the table of what belongs together. */
  write({ pushes }: Figures, measured: readonly PushFigures[]): void {
    this.#gauges.reset();
    for (const gone of this.#slots.update(pushes.map(({ id }) => id))) this.#counters.remove(gone);
    for (const { id, source, destination, state, health } of pushes) {
      const push = this.#slots.label(id);
      this.#gauges.join("transponder_push_live", state === "live" ? 1 : 0, { push });
      this.#gauges.join("transponder_push_health_ratio", health / 100, { push });
      if (push === OTHER) continue;
      this.#infos.set("transponder_push_info", 1, { push, stream: source, destination });
    }
    const known = new Set(pushes.map(({ id }) => id));
    for (const push of measured) if (known.has(push.push)) this.#one(push);
    this.#counters.settle();
  }

  #one(figures: PushFigures): void {
    const gauges = this.#gauges;
    const push = this.#slots.label(figures.push);
    const interval = seconds(figures.keyframeInterval);
    gauges.join("transponder_push_bits_per_second", figures.bitrate, { push });
    gauges.join("transponder_push_backlog_bytes", figures.backlogBytes, { push });
    gauges.join("transponder_push_backlog_seconds", seconds(figures.backlogMs), { push });
    gauges.join("transponder_push_keyframe_interval_seconds", interval, { push });
    const count = (name: keyof typeof PUSH_COUNTERS, value: number, more = {}): void =>
      this.#counters.growOf(push, name, figures.push, value, { push, ...more });
    count("transponder_push_sent_bytes_total", figures.bytesSent);
    for (const [result, frames] of outputOf(figures)) {
      count("transponder_push_frames_total", frames, { result });
    }
    count("transponder_push_outage_seconds_total", figures.outageMs / 1000);
    count("transponder_push_reconnects_total", figures.reconnects);
  }
}

const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / 1000;

type Results = readonly (readonly [result: string, count: number])[];

const packetsOf = (stream: StreamFigures): Results => [
  ["received", stream.packetsReceived],
  ["lost", stream.packetsLost],
  ["recovered", stream.packetsRecovered],
];
const framesOf = (stream: StreamFigures): Results => [
  ["received", stream.framesReceived],
  ["dropped", stream.framesDropped],
];
const encodedOf = (transcode: TranscodeFigures): Results => [
  ["in", transcode.framesIn],
  ["out", transcode.framesOut],
  ["repeated", transcode.framesRepeated],
  ["dropped", transcode.framesDropped],
];
const outputOf = (push: PushFigures): Results => [
  ["sent", push.framesSent],
  ["dropped", push.framesDropped],
  ["lost", push.framesLost],
];
