import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

interface Declared {
  readonly help: string;
  /** Names of labels; every label has a small fixed set of values. */
  readonly labels?: readonly string[];
}

/** What is so at the moment; names carry the unit. */
const GAUGES = {
  transponder_streams: { help: "Published streams." },
  transponder_players: { help: "Playing browsers." },
  transponder_ws_sessions: { help: "Connected WebSDK clients." },
  transponder_pushes: { help: "Pushes by state.", labels: ["state"] },
  transponder_worker_busy_ratio: {
    help: "Share of the last second in which the worker's event loop was busy, 0 to 1.",
    labels: ["worker"],
  },
  transponder_worker_resident_bytes: { help: "Memory of the worker.", labels: ["worker"] },
  transponder_ingest_bits_per_second: {
    help: "Media received from all publishers; kind is video or audio.",
    labels: ["kind"],
  },
  transponder_push_bits_per_second: { help: "Media sent to all destinations." },
  transponder_transcodes: { help: "Video encoders." },
  transponder_transcode_cpu_cores: {
    help: "CPU cores that each video encoder uses; transcode is the lowest number that was free.",
    labels: ["worker", "transcode"],
  },
  transponder_push_backlog_bytes: { help: "Waiting for all destinations." },
} as const satisfies Record<string, Declared>;

/** What only grows; names carry the unit. */
const COUNTERS = {
  transponder_worker_cpu_seconds_total: {
    help: "CPU time of the workers; process is worker, codec (audio) or video.",
    labels: ["worker", "process"],
  },
  transponder_worker_deaths_total: { help: "Workers that ended unasked." },
  transponder_codec_restarts_total: {
    help: "Codec processes started again.",
    labels: ["worker"],
  },
  transponder_ingest_packets_total: {
    help: "RTP packets of all publishers; result is received, lost or recovered.",
    labels: ["result"],
  },
  transponder_ingest_frames_total: {
    help: "Frames of all publishers; result is received or dropped.",
    labels: ["result"],
  },
  transponder_ingest_keyframe_requests_total: { help: "Keyframes asked of publishers." },
  transponder_transcode_frames_total: {
    help: "Frames of all video encoders; result is in, out, repeated (of those out) or dropped.",
    labels: ["result"],
  },
  transponder_push_sent_bytes_total: { help: "Sent to all destinations." },
  transponder_push_frames_total: {
    help: "Frames for all destinations; result is sent or dropped.",
    labels: ["result"],
  },
  transponder_push_reconnects_total: { help: "Connections to destinations restored." },
} as const satisfies Record<string, Declared>;

/** Figures of one stream; counters count from its start. */
interface StreamFigures {
  readonly session: string;
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsRecovered: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly keyframeRequests: number;
}

/** Figures of one push; counters count from its start. */
interface PushFigures {
  readonly push: string;
  readonly bitrate: number;
  readonly backlogBytes: number;
  readonly bytesSent: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  readonly reconnects: number;
}

/** Figures of one video encoder; counters count from its start. */
interface TranscodeFigures {
  readonly id: number;
  readonly index: number;
  readonly cpuRatio: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly framesRepeated: number;
  readonly framesDropped: number;
}

/** Figures of one worker process. */
interface WorkerFigures {
  readonly utilisation: number;
  readonly cpuSeconds: number;
  readonly codecCpuSeconds: number;
  readonly videoCpuSeconds: number;
  readonly codecRestarts: number;
  readonly residentBytes: number;
  readonly streams: readonly StreamFigures[];
  readonly pushes: readonly PushFigures[];
  readonly transcodes: readonly TranscodeFigures[];
}

/** What a scrape reads. */
export interface Figures {
  readonly streams: number;
  readonly players: number;
  readonly sessions: number;
  /** State of each push. */
  readonly pushStates: readonly string[];
  /** Workers that ended unasked since the start. */
  readonly workerDeaths: number;
  readonly workers: readonly {
    /** Place of the worker, from 0; stays when the process is replaced. */
    readonly seat: number;
    /** One process; another when it was replaced. */
    readonly id: string;
    readonly stats: WorkerFigures | undefined;
  }[];
}

/** The metrics of the program in Prometheus text format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #read: () => Figures;
  #before = new Map<string, number>();
  #seen = new Map<string, number>();

  /** `read` is called on each scrape. */
  constructor(read: () => Figures) {
    this.#read = read;
    collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    for (const [name, { help, labels = [] }] of Object.entries<Declared>(GAUGES)) {
      this.#gauges.set(name, new Gauge({ name, help, labelNames: labels, registers }));
    }
    for (const [name, { help, labels = [] }] of Object.entries<Declared>(COUNTERS)) {
      this.#counters.set(name, new Counter({ name, help, labelNames: labels, registers }));
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The answer to a scrape. */
  render(): Promise<string> {
    const figures = this.#read();
    this.#seen = new Map();
    for (const gauge of this.#gauges.values()) gauge.reset();
    this.#set("transponder_streams", figures.streams);
    this.#set("transponder_players", figures.players);
    this.#set("transponder_ws_sessions", figures.sessions);
    this.#set("transponder_transcodes", 0);
    for (const state of figures.pushStates) this.#add("transponder_pushes", 1, { state });
    this.#count("transponder_worker_deaths_total", "pool", figures.workerDeaths);
    for (const { seat, id, stats } of figures.workers) {
      if (stats === undefined) continue;
      this.#worker(String(seat), id, stats);
      for (const stream of stats.streams) this.#stream(stream);
      for (const push of stats.pushes) this.#push(push);
      for (const transcode of stats.transcodes) this.#transcode(String(seat), id, transcode);
    }
    this.#before = this.#seen;
    return this.#registry.metrics();
  }

  #worker(worker: string, id: string, stats: WorkerFigures): void {
    this.#set("transponder_worker_busy_ratio", stats.utilisation, { worker });
    this.#set("transponder_worker_resident_bytes", stats.residentBytes, { worker });
    const cpu = "transponder_worker_cpu_seconds_total";
    this.#count(cpu, id, stats.cpuSeconds, { worker, process: "worker" });
    this.#count(cpu, id, stats.codecCpuSeconds, { worker, process: "codec" });
    this.#count(cpu, id, stats.videoCpuSeconds, { worker, process: "video" });
    this.#count("transponder_codec_restarts_total", id, stats.codecRestarts, { worker });
  }

  #stream(stream: StreamFigures): void {
    const { session } = stream;
    this.#add("transponder_ingest_bits_per_second", stream.videoBitrate, { kind: "video" });
    this.#add("transponder_ingest_bits_per_second", stream.audioBitrate, { kind: "audio" });
    const packets = "transponder_ingest_packets_total";
    this.#count(packets, session, stream.packetsReceived, { result: "received" });
    this.#count(packets, session, stream.packetsLost, { result: "lost" });
    this.#count(packets, session, stream.packetsRecovered, { result: "recovered" });
    const frames = "transponder_ingest_frames_total";
    this.#count(frames, session, stream.framesReceived, { result: "received" });
    this.#count(frames, session, stream.framesDropped, { result: "dropped" });
    this.#count("transponder_ingest_keyframe_requests_total", session, stream.keyframeRequests);
  }

  #push(push: PushFigures): void {
    this.#add("transponder_push_bits_per_second", push.bitrate);
    this.#add("transponder_push_backlog_bytes", push.backlogBytes);
    this.#count("transponder_push_sent_bytes_total", push.push, push.bytesSent);
    const frames = "transponder_push_frames_total";
    this.#count(frames, push.push, push.framesSent, { result: "sent" });
    this.#count(frames, push.push, push.framesDropped, { result: "dropped" });
    this.#count("transponder_push_reconnects_total", push.push, push.reconnects);
  }

  #transcode(worker: string, process: string, figures: TranscodeFigures): void {
    const { id, index, cpuRatio } = figures;
    this.#add("transponder_transcodes", 1);
    const labels = { worker, transcode: String(index) };
    this.#set("transponder_transcode_cpu_cores", cpuRatio, labels);
    const owner = `${process} ${id}`;
    const frames = "transponder_transcode_frames_total";
    this.#count(frames, owner, figures.framesIn, { result: "in" });
    this.#count(frames, owner, figures.framesOut, { result: "out" });
    this.#count(frames, owner, figures.framesRepeated, { result: "repeated" });
    this.#count(frames, owner, figures.framesDropped, { result: "dropped" });
  }

  #set(name: keyof typeof GAUGES, value: number, labels: Record<string, string> = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #add(name: keyof typeof GAUGES, value: number, labels: Record<string, string> = {}): void {
    this.#gauges.get(name)?.inc(labels, value);
  }

  /** Adds what `owner`'s own counter grew since the last scrape, so that the sum outlives its owners. */
  #count(
    name: keyof typeof COUNTERS,
    owner: string,
    value: number,
    labels: Record<string, string> = {},
  ): void {
    const key = [name, owner, ...Object.values(labels)].join(" ");
    const growth = Math.max(0, value - (this.#before.get(key) ?? 0));
    this.#seen.set(key, value);
    this.#counters.get(name)?.inc(labels, growth);
  }
}

/** Text of `docs/reference/metrics.md`. */
export function renderMetricsPage(): string {
  const rows = (kind: string, table: Record<string, Declared>): string[] =>
    Object.entries(table).map(
      ([name, { help, labels = [] }]) =>
        `| \`${name}\` | ${kind} | ${labels.join(", ")} | ${help} |`,
    );
  const lines = [
    "# Metrics",
    "",
    "<!-- Generated by `npm run generate`; do not edit. -->",
    "",
    "`GET /metrics` on the HTTP port, in Prometheus text format, beside the metrics of the Node.js runtime.",
    "",
    "| name | kind | labels | meaning |",
    "|---|---|---|---|",
    ...rows("gauge", GAUGES),
    ...rows("counter", COUNTERS),
  ];
  return `${lines.join("\n")}\n`;
}
