/** The server itself: clients, REST, processes, TLS, what can be seen of it. */
import { bool, choice, header, integer, line, ms, optional } from "../field.ts";

export const clients = {
  "keep_alive.server_interval": ms(
    5000,
    100,
    600_000,
    "Pause between two pings to a WebSDK client.",
  ),
  "keep_alive.probes": integer(
    10,
    1,
    1000,
    "Unanswered pings after which a client counts as gone.",
  ),
};

export const rest = {
  rest_access_control_allow_origin: header("*", "CORS header of REST answers."),
  rest_access_control_allow_headers: header(
    "content-type,x-requested-with",
    "CORS header of REST answers.",
  ),
  rest_access_control_allow_methods: header("POST", "CORS header of REST answers."),
};

export const processes = {
  workers: integer(1, 1, 64, "Media worker processes."),
  worker_max_busy_percent: integer(
    90,
    10,
    100,
    "A worker whose event loop or audio codec process is busier, whose event loop is late again and again, or whose sound waits, gets no further stream; when all are, publishers are refused. 100 is without limit.",
  ),
  worker_max_memory_mb: integer(
    0,
    0,
    1_000_000,
    "A worker that takes more is killed and replaced; 0 is without limit. Megabytes.",
  ),
};

export const shutdown = {
  shutdown_delay_ms: ms(
    0,
    0,
    600_000,
    "Asked to end, the server first says at /readyz that it is not ready for so long. Running streams go on, new ones are refused.",
  ),
  shutdown_drain_ms: ms(
    0,
    0,
    86_400_000,
    "After that it waits so long, at most, for running streams to end by themselves.",
  ),
};

export const tls = {
  tls_certificate_file: optional(
    "PEM file of the certificate for https and wss; empty makes one.",
    "a file name, or empty",
  ),
  tls_key_file: optional("PEM file of its key.", "a file name, or empty"),
  tls_dir: line("tls", "Folder in which a certificate made at first start is kept."),
};

export const observation = {
  metrics_enabled: bool(true, "Answer /metrics on the HTTP ports, for Prometheus."),
  metrics_max_series: integer(
    200,
    0,
    100_000,
    "Streams, and as many pushes, that have metrics of their own; the rest share one label.",
  ),
  log_level: choice(
    ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
    "info",
    "Least grave lines that are logged.",
  ),
};
