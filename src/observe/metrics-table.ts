/** Every metric there is, by name; names carry the unit. */

/** How a gauge of the many that share one label comes about. */
export type Fold = "sum" | "max" | "min";

export interface Declared {
  readonly help: string;
  /** Names of labels; every label has a bounded set of values. */
  readonly labels?: readonly string[];
  /** For gauges of one stream or push. */
  readonly fold?: Fold;
}

type Table = Record<string, Declared>;

/** What is so at the moment. */
export const GAUGES = {
  transponder_streams: { help: "Published streams." },
  transponder_players: { help: "Playing browsers." },
  transponder_ws_sessions: { help: "Connected WebSDK clients." },
  transponder_pushes: { help: "Pushes by state.", labels: ["state"] },
  transponder_ready: { help: "1 when the server should be sent streams, as /readyz says." },
  transponder_workers: { help: "Media workers that can carry streams." },
  transponder_worker_busy_ratio: {
    help: "Share of the last second in which the worker's event loop was busy, 0 to 1.",
    labels: ["worker"],
  },
  transponder_worker_resident_bytes: { help: "Memory of the worker.", labels: ["worker"] },
  transponder_ingest_bits_per_second: {
    help: "Media received from all publishers; kind is video or audio.",
    labels: ["kind"],
  },
  transponder_output_bits_per_second: { help: "Media sent to all destinations." },
  transponder_output_backlog_bytes: { help: "Waiting for all destinations." },
  transponder_transcodes: { help: "Video encoders." },
  transponder_transcode_cpu_cores: {
    help: "CPU cores that each video encoder uses; transcode is the lowest number that was free.",
    labels: ["worker", "transcode"],
  },
  transponder_event_clients: { help: "Readers of /rest-api/events." },
  transponder_webhooks_waiting: { help: "Webhooks that wait or are under way." },
  transponder_cluster_connected: { help: "1 while the other nodes can be reached." },
  transponder_cluster_nodes: { help: "Nodes of the cluster that live, with this one." },
} as const satisfies Table;

/** What only grows. */
export const COUNTERS = {
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
  transponder_output_sent_bytes_total: { help: "Sent to all destinations." },
  transponder_output_frames_total: {
    help: "Frames for all destinations; result is sent, dropped (too slow) or lost (no connection).",
    labels: ["result"],
  },
  transponder_output_reconnects_total: { help: "Connections to destinations restored." },
  transponder_streams_ended_total: {
    help: "Streams that ended, by the code of the reason (errors.md).",
    labels: ["code"],
  },
  transponder_pushes_ended_total: {
    help: "Pushes that ended, by the code of the reason (errors.md).",
    labels: ["code"],
  },
  transponder_event_clients_dropped_total: {
    help: "Readers of events that were disconnected because they were too slow.",
  },
  transponder_webhooks_total: {
    help: "Webhooks; result is delivered, failed or dropped, and retried for each attempt after the first.",
    labels: ["result"],
  },
  transponder_cluster_writes_total: {
    help: "Writes to the cluster's bucket; result is written, refused (another was first) or failed.",
    labels: ["result"],
  },
  transponder_cluster_requests_total: {
    help: "Operations handed to other nodes; result is answered, timeout or unreachable, and served for those done for others.",
    labels: ["result"],
  },
  transponder_http_refusals_total: {
    help: "Requests refused for want of credentials (401), permission (403), or because they were too many (429).",
    labels: ["status"],
  },
} as const satisfies Table;

/** What is so of one stream at the moment. */
export const STREAM_GAUGES = {
  transponder_stream_bits_per_second: {
    help: "Media received; kind is video or audio.",
    labels: ["stream", "kind"],
    fold: "sum",
  },
  transponder_stream_frames_per_second: {
    help: "Pictures received.",
    labels: ["stream"],
    fold: "max",
  },
  transponder_stream_height_pixels: {
    help: "Height of the picture.",
    labels: ["stream"],
    fold: "max",
  },
  transponder_stream_round_trip_seconds: {
    help: "To the publisher and back.",
    labels: ["stream"],
    fold: "max",
  },
  transponder_stream_skew_seconds: {
    help: "How far the picture is ahead of the sound; negative when it is behind.",
    labels: ["stream"],
    fold: "max",
  },
} as const satisfies Table;

export const STREAM_COUNTERS = {
  transponder_stream_packets_total: {
    help: "RTP packets; result is received, lost or recovered.",
    labels: ["stream", "result"],
  },
  transponder_stream_frames_total: {
    help: "Frames; result is received or dropped.",
    labels: ["stream", "result"],
  },
  transponder_stream_keyframe_requests_total: {
    help: "Keyframes asked of the publisher.",
    labels: ["stream"],
  },
  transponder_stream_frozen_seconds_total: {
    help: "Time in which no picture could be shown after a loss.",
    labels: ["stream"],
  },
} as const satisfies Table;

/** What is so of one push at the moment. */
export const PUSH_GAUGES = {
  transponder_push_live: {
    help: "1 while media reaches the destination, else 0.",
    labels: ["push"],
    fold: "sum",
  },
  transponder_push_health_ratio: {
    help: "1 is faultless, 0.8 and less is worth a look, 0.4 and less is bad.",
    labels: ["push"],
    fold: "min",
  },
  transponder_push_bits_per_second: { help: "Media sent.", labels: ["push"], fold: "sum" },
  transponder_push_backlog_bytes: {
    help: "Waiting for the destination.",
    labels: ["push"],
    fold: "sum",
  },
  transponder_push_backlog_seconds: {
    help: "Media time that waits for the destination.",
    labels: ["push"],
    fold: "max",
  },
  transponder_push_keyframe_interval_seconds: {
    help: "Between the last two keyframes sent.",
    labels: ["push"],
    fold: "max",
  },
} as const satisfies Table;

export const PUSH_COUNTERS = {
  transponder_push_sent_bytes_total: { help: "Sent to the destination.", labels: ["push"] },
  transponder_push_frames_total: {
    help: "Frames; result is sent, dropped (too slow) or lost (no connection).",
    labels: ["push", "result"],
  },
  transponder_push_outage_seconds_total: {
    help: "Media time between connections without anything sent.",
    labels: ["push"],
  },
  transponder_push_reconnects_total: {
    help: "Connections to the destination restored.",
    labels: ["push"],
  },
} as const satisfies Table;

/** Always 1; the labels say what belongs together. Not for streams and pushes that share `other`. */
export const INFOS = {
  transponder_stream_info: { help: "Name of a stream.", labels: ["stream", "name"] },
  transponder_push_info: {
    help: "Stream and destination of a push, without keys and passwords.",
    labels: ["push", "stream", "destination"],
  },
} as const satisfies Table;

const row = (kind: string, name: string, { help, labels = [] }: Declared): string =>
  `| \`${name}\` | ${kind} | ${labels.join(", ")} | ${help} |`;

const section = (title: string, gauges: Table, counters: Table): string[] => [
  `## ${title}`,
  "",
  "| name | kind | labels | meaning |",
  "|---|---|---|---|",
  ...Object.entries(gauges).map(([name, declared]) => row("gauge", name, declared)),
  ...Object.entries(counters).map(([name, declared]) => row("counter", name, declared)),
  "",
];

/** Text of `docs/reference/metrics.md`. */
export function renderMetricsPage(): string {
  const lines = [
    "# Metrics",
    "",
    "<!-- Generated by `npm run generate`; do not edit. -->",
    "",
    "`GET /metrics` on the HTTP port, in Prometheus text format, beside the metrics of the Node.js runtime.",
    "A dashboard for Grafana lies in `docs/grafana-dashboard.json`.",
    "",
    ...section("The server", GAUGES, COUNTERS),
    ...section("One stream", STREAM_GAUGES, STREAM_COUNTERS),
    ...section("One push", PUSH_GAUGES, PUSH_COUNTERS),
    "The labels `stream` and `push` hold ids. As many streams and pushes as `metrics_max_series` says have",
    "their own for life; those that come when all are taken share the value `other`, where a gauge is the sum,",
    "or the worst where a sum means nothing. What is counted for one stream or push goes with it; the server's",
    "own counters keep it.",
    "",
    ...section("What belongs together", INFOS, {}).slice(0, -1),
  ];
  return `${lines.join("\n")}\n`;
}
