/** How much is allowed. */
import { integer } from "../field.ts";

export const limits = {
  max_cpu_percent: integer(
    95,
    0,
    100,
    "CPU of the whole machine, or of the quota of its container, up to which streams and pushes are accepted; 0 is without limit.",
  ),
  max_sessions: integer(1000, 1, 1_000_000, "WebSDK clients at once."),
  max_streams: integer(500, 1, 1_000_000, "Published streams at once."),
  max_streams_per_session: integer(32, 1, 10_000, "Streams and players of one WebSDK client."),
  max_players: integer(500, 0, 1_000_000, "Players at once: browsers, RTMP and HTTP-FLV."),
  max_pushes: integer(1000, 1, 1_000_000, "Pushes at once."),
  ws_max_connections_per_minute: integer(
    600,
    0,
    1_000_000,
    "WebSDK connections of one client address in a minute; 0 is without limit.",
  ),
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
  http_max_requests_per_second: integer(
    200,
    0,
    1_000_000,
    "Requests of one client address in a second; 0 is without limit.",
  ),
  push_checks_per_minute: integer(
    30,
    1,
    100_000,
    "Dry runs (/push/check) of one client address in a minute.",
  ),
  http_max_body_bytes: integer(1 << 20, 1 << 12, 1 << 26, "Longest body of a request. Bytes."),
};
