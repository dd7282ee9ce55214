/** Who is told what happens: readers of the event feed, and a webhook. */
import { integer, ms, secretText, secretWebUrl } from "../field.ts";

export const events = {
  events_max_clients: integer(100, 0, 100_000, "Readers of /rest-api/events at once."),
  events_max_waiting_bytes: integer(
    1 << 20,
    1 << 16,
    1 << 28,
    "Most that may wait for a reader of events; one that is slower is disconnected. Bytes.",
  ),
  webhook_url: secretWebUrl("Every change of state of a stream or push is posted there."),
  webhook_secret: secretText(
    "Signs webhooks (HMAC-SHA256, as Standard Webhooks has it); base64 after the prefix whsec_, or plain text.",
    16,
  ),
  webhook_timeout_ms: ms(5000, 100, 120_000, "Time for one attempt."),
  webhook_attempts: integer(8, 1, 100, "Attempts before a webhook is given up."),
  webhook_retry_ms: ms(1000, 10, 600_000, "Pause before the second attempt; it doubles each time."),
  webhook_queue: integer(1000, 1, 1_000_000, "Webhooks that may wait; then the oldest is dropped."),
};
