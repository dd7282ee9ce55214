import { performance } from "node:perf_hooks";
import { type Clock, micros, millis } from "../base/time.ts";

/** The machine's clocks; nothing else reads them. */
export const systemClock: Clock = {
  now: () => micros(Math.floor(performance.now() * 1000)),
  wallNow: () => millis(Date.now()),
};
