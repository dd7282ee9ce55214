/** Child process: streams through the media worker's JavaScript; says what a packet costs, microseconds. */
import { micros } from "../../../src/base/time.ts";
import { tuneGarbageCollection } from "../../../src/worker/garbage.ts";
import { HD } from "../../../test/support/lab/recording.ts";
import { PacketPath } from "./path.ts";
import { PacketSource } from "./source.ts";

const TICK_US = 10_000;
/** Until the runtime has compiled what it runs all the time. */
const WARM_UP_SECONDS = 20;
const LINE = 8;
const [streams = 1, seconds = 1, coldKiB = 0] = process.argv.slice(2).map(Number);
/** Read before each packet, as much as the library and the kernel touch between two. */
const cold = new Float64Array((coldKiB * 1024) / 8);
let now = micros(1_000_000);
let warmth = 0;

const herd = Array.from({ length: streams }, (_, i) => ({
  source: new PacketSource(now + (i * 1_000_000) / HD.fps / streams),
  path: new PacketPath(() => now),
}));

function chill(): void {
  for (let at = 0; at < cold.length; at += LINE) warmth += cold[at] as number;
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** One turn of the event loop: what came since the last one, then the timer. */
function turn(): { readonly cpu: number; readonly packets: number } {
  now = micros(now + TICK_US);
  const due = herd.map(({ source, path }) => ({ path, datagrams: source.until(now) }));
  const packets = due.reduce((sum, { datagrams }) => sum + datagrams.length, 0);
  const cpu = cpuOf(() => {
    for (const { path, datagrams } of due) {
      for (const bytes of datagrams) {
        chill();
        path.onPacket(bytes, now);
      }
    }
    for (const { path } of herd) path.tick(now);
  });
  const apart = cpuOf(() => {
    for (let i = 0; i < packets; i += 1) chill();
  });
  return { cpu: cpu - apart, packets };
}

function cost(duration: number): number {
  let cpu = 0;
  let packets = 0;
  for (const end = now + duration * 1_000_000; now < end; ) {
    const spent = turn();
    cpu += spent.cpu;
    packets += spent.packets;
  }
  return cpu / packets;
}

tuneGarbageCollection();
cost(WARM_UP_SECONDS);
const measured = cost(seconds);
const pictures = herd.reduce((sum, { path }) => sum + path.pictures, 0);
const expected = streams * (seconds + WARM_UP_SECONDS) * HD.fps;
if (warmth !== 0 || pictures < expected) throw new Error(`${pictures} of ${expected} pictures`);
process.send?.(measured);
process.disconnect();
