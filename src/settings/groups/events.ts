/** Who is told what happens: readers of the event feed. */
import { integer } from "../field.ts";

export const events = {
  events_max_clients: integer(100, 0, 100_000, "Readers of /rest-api/events at once."),
  events_max_waiting_bytes: integer(
    1 << 20,
    1 << 16,
    1 << 28,
    "Most that may wait for a reader of events; one that is slower is disconnected. Bytes.",
  ),
};
