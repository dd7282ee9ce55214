/** Pictures for tests: parameter sets of libx264 and slices without meaning. */
import { type Micros, micros } from "../../src/base/time.ts";
import { wholeNalUnit } from "../../src/codec/h264/nal-unit.ts";
import type { AudioFrame, AvcFrame } from "../../src/media/frame.ts";
import { hex } from "./properties.ts";

export const SPS_320: Uint8Array = hex("6742c00dda0507ec0440000003004000000c83c50aa8");
export const SPS_1080: Uint8Array = hex("6742c028da01e0089f97011000000300100000030320f1832a");
export const PPS: Uint8Array = hex("68ce0fc8");
const IDR = hex("6588");
const DELTA = hex("41aa");

/** A picture of the given NAL units that arrived when it is shown. */
export function picture(ms: number, ...units: readonly Uint8Array[]): AvcFrame {
  const nalUnits = units.map(wholeNalUnit);
  return {
    kind: "video",
    codec: "h264",
    pts: micros(ms * 1000),
    arrival: micros(ms * 1000),
    key: nalUnits.some(({ type }) => type === 5),
    nalUnits,
    size: nalUnits.reduce((sum, { size }) => sum + size, 0),
  };
}

/** An IDR picture with its parameter sets. */
export const keyPicture = (ms: number, sps = SPS_320): AvcFrame => picture(ms, sps, PPS, IDR);
/** An IDR picture without parameter sets. */
export const bareKey = (ms: number): AvcFrame => picture(ms, IDR);
export const deltaPicture = (ms: number): AvcFrame => picture(ms, DELTA);

export function opusFrame(ms: number, arrival: Micros = micros(ms * 1000)): AudioFrame {
  return {
    kind: "audio",
    codec: "opus",
    pts: micros(ms * 1000),
    arrival,
    duration: micros(20_000),
    channels: 2,
    payload: hex("fc0102"),
  };
}
