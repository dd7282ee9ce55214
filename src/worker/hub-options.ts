import { type Micros, millis, toMicros } from "../base/time.ts";
import type { StreamHubOptions } from "../media/stream-hub.ts";

const ms = (n: number): Micros => toMicros(millis(n));

/** How the hub of every stream works; `keyframeIntervalMs` is the longest time between two IDR pictures. */
export const hubOptions = (keyframeIntervalMs: number): StreamHubOptions => ({
  ring: { maxBytes: 4 << 20, maxDuration: ms(5000) },
  line: { patience: ms(250), idleDelay: ms(60), history: 250 },
  freshGroup: ms(500),
  keyframePatience: ms(200),
  keyframeInterval: ms(keyframeIntervalMs),
  encoderGrace: ms(500),
});
