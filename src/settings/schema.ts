import { isIP } from "node:net";
import { z } from "zod";
import { Secret } from "../base/secret.ts";

/** Words for the reference page that a schema cannot tell. */
interface Words {
  readonly text: string;
  /** What is allowed, for messages and the reference. */
  readonly allowed: string;
}

const words = new Map<z.ZodType, Words>();

function described<S extends z.ZodType>(schema: S, text: string, allowed: string): S {
  words.set(schema, { text, allowed });
  return schema;
}

/** Description of a setting's schema. */
export const wordsOf = (schema: z.ZodType): Words => words.get(schema) ?? { text: "", allowed: "" };

const integer = (fallback: number, lowest: number, highest: number, text: string) =>
  described(
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number)
      .pipe(z.number().min(lowest).max(highest))
      .default(fallback),
    text,
    `an integer from ${lowest} to ${highest}`,
  );

const number = (fallback: number, lowest: number, highest: number, text: string) =>
  described(
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,6})?$/)
      .transform(Number)
      .pipe(z.number().min(lowest).max(highest))
      .default(fallback),
    text,
    `a number from ${lowest} to ${highest}`,
  );

const bool = (fallback: boolean, text: string) =>
  described(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(["true", "false"]))
      .transform((value) => value === "true")
      .default(fallback),
    text,
    "true or false",
  );

const line = (fallback: string, text: string) =>
  described(z.string().max(4096).default(fallback), text, "text");

/** Text that goes into an HTTP header. */
const header = (fallback: string, text: string) =>
  described(
    z
      .string()
      .max(4096)
      .regex(/^[\x20-\x7e]*$/)
      .default(fallback),
    text,
    "printable ASCII",
  );

const optional = (text: string, allowed = "text, or empty") =>
  described(
    z
      .string()
      .max(4096)
      .transform((value) => (value === "" ? undefined : value))
      .optional(),
    text,
    allowed,
  );

const address = (text: string) =>
  described(
    z
      .string()
      .refine((value) => value === "" || isIP(value) !== 0)
      .transform((value) => (value === "" ? undefined : value))
      .optional(),
    text,
    "an IPv4 or IPv6 address, or empty",
  );

const choice = <const V extends readonly [string, ...string[]]>(
  values: V,
  fallback: V[number],
  text: string,
) => described(z.enum(values).default(fallback as never), text, values.join(", "));

/** A URL that may hold a password or a key; prints as `[redacted]`. */
const secretUrl = (text: string) =>
  described(
    z
      .string()
      .max(4096)
      .refine((value) => value === "" || /^rtmps?:\/\/[^/]/i.test(value))
      .transform((value) => (value === "" ? undefined : new Secret(value)))
      .optional(),
    text,
    "an rtmp:// or rtmps:// URL, or empty",
  );

const port = (fallback: number, text: string) => integer(fallback, 1, 65_535, text);
const optionalPort = (fallback: number, text: string) =>
  integer(fallback, 0, 65_535, `${text} 0 turns it off.`);
const ms = (fallback: number, lowest: number, highest: number, text: string) =>
  integer(fallback, lowest, highest, `${text} Milliseconds.`);

/** Every setting: WCS key names first, then ours. Defaults are written here and nowhere else. */
export const settingsSchema = z.object({
  "ws.port": port(8080, "WebSocket port of the WebSDK."),
  "wss.port": optionalPort(8443, "The same over TLS."),
  "http.port": port(8081, "REST, WHIP and web page."),
  "https.port": optionalPort(8444, "The same over TLS."),
  ip: address("Public address to announce for media, when this machine is behind a NAT."),
  ip_local: address("Local address to bind media and servers to; empty binds all."),
  media_port_from: integer(
    31_001,
    1024,
    65_535,
    "First UDP port for media; each worker takes one.",
  ),
  media_port_to: integer(32_000, 1024, 65_535, "Last UDP port for media."),
  rtmp_transponder_stream_name_prefix: line(
    "rtmp_",
    "Put before the stream's name at the destination; an empty value means no prefix.",
  ),
  rtmp_transponder_full_url: bool(
    false,
    "Take the name at the destination from the RTMP URL instead of the stream's name.",
  ),
  rtmp_publisher_ip: address("Local address from which RTMP servers are connected to."),
  rtmp_push_auto_start: bool(false, "Push every published stream to rtmp_push_auto_start_url."),
  rtmp_push_auto_start_url: secretUrl("Destination of rtmp_push_auto_start; may hold credentials."),
  rtmp_push_restore: bool(false, "Start a push again when its destination was lost."),
  rtmp_push_restore_attempts: integer(
    3,
    -1,
    1_000_000,
    "Attempts before giving up; -1 never gives up.",
  ),
  rtmp_push_restore_interval_ms: ms(5000, 100, 3_600_000, "Pause before an attempt."),
  rtmp_push_restore_backoff_factor: number(
    1,
    1,
    10,
    "The pause grows by this factor each time; 1 keeps it.",
  ),
  rtmp_push_restore_max_interval_ms: ms(60_000, 100, 3_600_000, "Longest pause when it grows."),
  rtmp_out_buffer_enabled: bool(false, "Hold media back for an even, sorted output."),
  rtmp_out_buffer_start_size: ms(300, 0, 60_000, "Media gathered before the first is sent."),
  rtmp_out_buffer_initial_size: ms(2000, 0, 60_000, "Most media held back."),
  rtmp_out_buffer_polling_time: ms(50, 1, 1000, "Pause between two looks at what is due."),
  rtmp_out_buffer_max_bufferings_allowed: integer(
    -1,
    -1,
    1_000_000,
    "How often it may run empty and gather again; -1 without limit.",
  ),
  "rtmp.server_buffer_enabled": bool(
    true,
    "Large frames are always queued whole and in order; the key is accepted for compatibility.",
  ),
  rtmp_transponder_send_metadata: bool(true, "Send onMetaData."),
  rtmp_flash_ver_subscriber: line(
    "FMLE/3.0 (compatible; Transponder)",
    "flashVer of the connect command.",
  ),
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
  rtcp_pli_request_interval: ms(
    1000,
    100,
    60_000,
    "Smallest pause between two keyframe requests to a publisher.",
  ),
  disable_rest_auth: choice(
    ["true"],
    "true",
    "REST asks for no credentials. WCS knows false, which is refused here rather than ignored: put a proxy that asks for credentials before http.port.",
  ),
  rest_access_control_allow_origin: header("*", "CORS header of REST answers."),
  rest_access_control_allow_headers: header(
    "content-type,x-requested-with",
    "CORS header of REST answers.",
  ),
  rest_access_control_allow_methods: header("POST", "CORS header of REST answers."),
  workers: integer(1, 1, 64, "Media worker processes."),
  worker_max_busy_percent: integer(
    90,
    10,
    100,
    "A worker whose event loop is busier gets no further stream; when all are, publishers are refused.",
  ),
  worker_max_memory_mb: integer(
    0,
    0,
    1_000_000,
    "A worker that takes more is killed and replaced; 0 is without limit. Megabytes.",
  ),
  media_dir: line("media", "Folder of sound files."),
  keyframe_interval_ms: ms(
    2000,
    500,
    60_000,
    "Longest pause between two keyframes while a push needs them.",
  ),
  webrtc_connect_timeout_ms: ms(15_000, 1000, 120_000, "Time that ICE and DTLS may take."),
  webrtc_idle_timeout_ms: ms(
    10_000,
    1000,
    600_000,
    "Time without a media packet after which a publisher counts as gone.",
  ),
  webrtc_max_reorder_wait_ms: ms(400, 20, 5000, "Longest wait for a lost packet to be sent again."),
  publish_start_bitrate_kbps: integer(
    1000,
    0,
    1_000_000,
    "Where a publisher's bitrate estimate begins unless its page says it; 0 leaves it to the browser. Kilobits per second.",
  ),
  publish_max_bitrate_kbps: integer(
    20_000,
    100,
    1_000_000,
    "Most that a publisher is allowed to send. Kilobits per second.",
  ),
  audio_channels: choice(
    ["auto", "1", "2"],
    "auto",
    "Channels of the AAC made from a source; auto follows the source.",
  ),
  audio_mono_bitrate_kbps: integer(
    64,
    16,
    320,
    "AAC bitrate with one channel. Kilobits per second.",
  ),
  audio_stereo_bitrate_kbps: integer(
    128,
    32,
    512,
    "AAC bitrate with two channels. Kilobits per second.",
  ),
  rtmp_connect_timeout_ms: ms(
    10_000,
    500,
    120_000,
    "Time from DNS until the destination takes the stream.",
  ),
  rtmp_write_timeout_ms: ms(
    8000,
    1000,
    120_000,
    "Time that a destination may take no data before it counts as lost.",
  ),
  rtmp_buffer_bytes: integer(
    8 << 20,
    1 << 16,
    1 << 30,
    "Most that may wait for a slow destination, per push. Bytes.",
  ),
  rtmp_buffer_ms: ms(10_000, 500, 600_000, "Most media that may wait for a slow destination."),
  rtmps_ca_file: optional(
    "PEM file with certificates to trust besides the system's.",
    "a file name, or empty",
  ),
  rtmps_verify: bool(true, "Check the certificate of rtmps destinations."),
  destinations_allow_private: bool(
    true,
    "Allow pushes to private, loopback and link-local addresses.",
  ),
  tls_certificate_file: optional(
    "PEM file of the certificate for https and wss; empty makes one.",
    "a file name, or empty",
  ),
  tls_key_file: optional("PEM file of its key.", "a file name, or empty"),
  tls_dir: line("tls", "Folder in which a certificate made at first start is kept."),
  local_receiver_enabled: bool(
    true,
    "Run a small RTMP server on loopback to push to and play back from.",
  ),
  local_receiver_rtmp_port: port(1935, "Its RTMP port."),
  local_receiver_http_port: port(8000, "Its HTTP-FLV port, on loopback."),
  max_sessions: integer(1000, 1, 1_000_000, "WebSDK clients at once."),
  max_streams: integer(500, 1, 1_000_000, "Published streams at once."),
  max_streams_per_session: integer(32, 1, 10_000, "Streams and players of one WebSDK client."),
  max_players: integer(500, 0, 1_000_000, "Playing browsers at once."),
  max_pushes: integer(1000, 1, 1_000_000, "Pushes at once."),
  ws_max_message_bytes: integer(
    1 << 20,
    1 << 14,
    1 << 26,
    "Longest message of a WebSDK client. Bytes.",
  ),
  ws_max_messages_per_second: integer(
    200,
    1,
    100_000,
    "Messages of one WebSDK client in a second.",
  ),
  http_max_body_bytes: integer(1 << 20, 1 << 12, 1 << 26, "Longest body of a request. Bytes."),
  metrics_enabled: bool(true, "Answer /metrics on the HTTP ports, for Prometheus."),
  log_level: choice(
    ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
    "info",
    "Least grave lines that are logged.",
  ),
});

/** The effective settings, by key. */
export type Settings = z.output<typeof settingsSchema>;
export type SettingKey = keyof Settings;

/** Keys of WCS that mean something there and nothing here; they are accepted and have no effect. */
export const INERT_WCS_KEYS: ReadonlySet<string> = new Set([
  "compact_media_port_usage",
  "rtp_bundle",
  "codecs",
  "codecs_exclude_sip",
  "codecs_exclude_streaming",
  "codecs_exclude_sip_rtmp",
  "periodic_fir_request",
  "periodic_fir_request_interval",
  "ice_tcp_transport",
  "ice_tcp_channel_high_water_mark",
  "ice_tcp_channel_low_water_mark",
  "rest_access_control_headers",
  "transcoding_disabled",
  "disable_streaming_proxy",
  "rtp_receive_buffer_size",
  "rtp_send_buffer_size",
  "keep_alive_streaming_sessions_enabled",
]);
