/** Pushes: names, reconnect, output, destinations. */
import { isDestinationRule } from "../../transport/rtmp/address-rules.ts";
import { address, bool, integer, line, list, ms, number, optional, secretUrl } from "../field.ts";

export const pushes = {
  rtmp_transponder_stream_name_prefix: line(
    "rtmp_",
    "Put before the stream's name at the destination; an empty value means no prefix.",
  ),
  rtmp_transponder_full_url: bool(
    false,
    "Take the name at the destination from the RTMP URL instead of the stream's name.",
  ),
  rtmp_publisher_ip: address("Local address from which RTMP servers are connected to."),
  rtmp_transponder_send_metadata: bool(true, "Send onMetaData."),
  rtmp_flash_ver_subscriber: line(
    "FMLE/3.0 (compatible; Transponder)",
    "flashVer of the connect command.",
  ),
};

export const autoPush = {
  rtmp_push_auto_start: bool(false, "Push every published stream to rtmp_push_auto_start_url."),
  rtmp_push_auto_start_url: secretUrl("Destination of rtmp_push_auto_start; may hold credentials."),
};

export const pushRules = {
  push_rules_file: line(
    "push-rules.json",
    "File in which push rules (/push/rule) are kept; it holds stream keys.",
  ),
  max_push_rules: integer(1000, 0, 10_000, "Push rules at once."),
};

export const reconnect = {
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
};

export const output = {
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
};

const RULES = "host names, *.name, addresses and CIDR ranges between commas, or empty";

export const destinations = {
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
  destinations_allow: list(
    "When there are any, pushes go only there: host names, *.name, addresses, CIDR ranges. A name does not open private addresses.",
    RULES,
    isDestinationRule,
  ),
  destinations_deny: list(
    "Pushes never go there, whatever else allows it.",
    RULES,
    isDestinationRule,
  ),
};
