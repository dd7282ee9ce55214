/** Pictures of a publisher in the video codec process: changed, cut and lost; the rate stays constant. */
import assert from "node:assert/strict";
import { AV_LOG_QUIET } from "node-av/constants";
import { Log } from "node-av/lib";
import { micros } from "../src/base/time.ts";
import type { VideoCodec } from "../src/media/frame.ts";
import { VideoSession } from "../src/transport/video/video-session.ts";
import { h264Tags, packetized } from "../test/support/video-lab.ts";
import { type Chance, fuzz, mutate } from "./support/fuzz.ts";

interface Sample {
  readonly codec: VideoCodec;
  readonly config: Uint8Array | undefined;
  readonly pictures: readonly Uint8Array[];
}

const PERIOD = 40_000;
const MADE = { size: "128x96", fps: 25, seconds: 1, kbps: 100 };

async function samples(): Promise<Sample[]> {
  const [config, ...pictures] = h264Tags(MADE).map(({ body }) => body.subarray(5));
  const others = [];
  for (const codec of ["vp8", "vp9", "av1"] as const) {
    const { frames } = await packetized(codec, MADE);
    others.push({ codec, config: undefined, pictures: frames });
  }
  return [{ codec: "h264", config, pictures }, ...others];
}

const spoilt = (chance: Chance, bytes: Uint8Array): Uint8Array =>
  chance.oneIn(3) ? mutate(chance, bytes) : bytes;

const SAMPLES = await samples();
Log.setLevel(AV_LOG_QUIET);

fuzz((chance) => {
  const { codec, config, pictures } = chance.pick(SAMPLES);
  const times: number[] = [];
  const plan = { width: 0, height: chance.pick([0, 64]), bitrate: 100, fps: 25, gop: 10 };
  const session = new VideoSession({ codec, plan, before: undefined }, ({ role, pts }) => {
    if (role !== "config") times.push(pts);
  });
  if (config !== undefined) session.configure(spoilt(chance, config));
  for (const [i, picture] of pictures.entries()) {
    const pts = micros(i * PERIOD);
    if (chance.oneIn(10)) session.advance(pts);
    if (i > 0 && chance.oneIn(10)) continue;
    const key = i === 0 || chance.oneIn(8);
    const data = Buffer.from(spoilt(chance, picture));
    const behind = chance.oneIn(9) ? 1e6 : 0;
    session.write({ key, preroll: chance.oneIn(20), pts, behind, data });
  }
  session.close();
  times.slice(1).forEach((time, i) => {
    assert.equal(time - (times[i] as number), PERIOD);
  });
});
