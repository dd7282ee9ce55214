import { type Clock, micros, millis } from "../base/time.ts";

/** Looked up once: the runtime makes a call of each mention of the global name. */
const { performance } = globalThis;

/** The machine's clocks; nothing else reads them. */
export const systemClock: Clock = {
  now: () => micros(Math.floor(performance.now() * 1000)),
  wallNow: () => millis(Date.now()),
};
