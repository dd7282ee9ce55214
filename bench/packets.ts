/**
 * What the JavaScript of a media worker costs for each packet: recorded streams go through session, hub and
 * transponder to chunks of RTMP that are counted, in simulated time, without library, sockets and codecs. Each
 * round is a process of its own, because no two compile alike. Two builds in turns tell what a change does.
 * Usage: npm run bench -- packets [--streams N] [--seconds S] [--rounds R] [--cold KIB]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { MEDIA_MEMORY, withHabits } from "../src/machine/memory-habits.ts";
import { quantile } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "16" },
    seconds: { type: "string", default: "30" },
    rounds: { type: "string", default: "5" },
    cold: { type: "string", default: "0" },
  },
});
const main = new URL(`./support/packets/packets-main${extname(import.meta.url)}`, import.meta.url);

/** CPU of a packet in microseconds, in a process like a media worker. */
async function round(): Promise<number> {
  const child = fork(main, [values.streams, values.seconds, values.cold], {
    execArgv: [...process.execArgv, ...MEDIA_MEMORY.flags],
    env: withHabits(process.env, MEDIA_MEMORY),
  });
  const [cost] = (await once(child, "message")) as [number];
  return cost;
}

const costs: number[] = [];
while (costs.length < Number(values.rounds)) costs.push(await round());
const least = Math.min(...costs).toFixed(2);
console.log(`CPU of a packet: least ${least} us, median ${quantile(costs, 0.5).toFixed(2)} us`);
