/** Holds what arrived against what was sent. */
import { fingerprint, type ReceivedMedia, sentUnits } from "./flv-file.ts";
import type { Recording } from "./recording.ts";
import type { SentPicture } from "./rtp-sender.ts";

export interface Verdict {
  /** Pictures sent from the first to the last one that arrived, and how many of them arrived. */
  readonly sent: number;
  readonly arrived: number;
  /** Pictures that are not byte for byte what was sent, or not in order. */
  readonly broken: number;
  /** Pictures that refer to one that did not arrive: what a viewer would see as garbage. */
  readonly undecodable: number;
  /** Times without a picture longer than two pictures: capture times at both ends, microseconds. */
  readonly freezes: readonly { readonly from: number; readonly to: number }[];
  /** Steps of a track's timestamps below zero. */
  readonly backward: number;
  /** By how much a picture's timestamp is off the straight line of capture times, milliseconds, worst. */
  readonly timestampError: number;
}

/** Every picture of the recording has other bytes, so that a picture tells which one it is. */
export function judge(
  recording: Recording,
  sent: readonly SentPicture[],
  received: ReceivedMedia,
): Verdict {
  const matched = match(recording, sent, received);
  const places = matched.filter((place) => place !== undefined);
  const first = places[0] ?? 0;
  const last = places.at(-1) ?? -1;
  return {
    sent: last - first + 1,
    arrived: places.length,
    broken: matched.length - places.length,
    undecodable: undecodable(sent, places),
    freezes: freezes(recording, sent, places),
    backward: backward(received),
    timestampError: timestampError(sent, received, matched),
  };
}

/** For each received picture its place among those sent; undefined when it is none of those after the last. */
function match(
  recording: Recording,
  sent: readonly SentPicture[],
  { pictures }: ReceivedMedia,
): (number | undefined)[] {
  const known = new Map(
    recording.pictures.map((picture, index) => [fingerprint(sentUnits(picture)), index]),
  );
  let next = 0;
  return pictures.map(({ nalUnits }) => {
    const index = known.get(fingerprint(nalUnits));
    const place = sent.findIndex((picture, at) => at >= next && picture.index === index);
    if (index === undefined || place < 0) return undefined;
    next = place + 1;
    return place;
  });
}

function undecodable(sent: readonly SentPicture[], places: readonly number[]): number {
  let count = 0;
  let intact = false;
  places.forEach((place, at) => {
    intact = sent[place]?.key === true || (intact && places[at - 1] === place - 1);
    if (!intact) count += 1;
  });
  return count;
}

function freezes(
  { options }: Recording,
  sent: readonly SentPicture[],
  places: readonly number[],
): { from: number; to: number }[] {
  const times = places.map((place) => sent[place]?.at ?? 0);
  return times
    .slice(1)
    .map((to, at) => ({ from: times[at] as number, to }))
    .filter(({ from, to }) => to - from > 2_500_000 / options.fps);
}

function backward({ pictures, sounds }: ReceivedMedia): number {
  const steps = (tags: readonly { readonly timestamp: number }[]): number =>
    tags.filter(({ timestamp }, at) => timestamp < (tags[at - 1]?.timestamp ?? 0)).length;
  return steps(pictures) + steps(sounds);
}

function timestampError(
  sent: readonly SentPicture[],
  { pictures }: ReceivedMedia,
  matched: readonly (number | undefined)[],
): number {
  const offsets = matched.flatMap((place, at) =>
    place === undefined ? [] : [(pictures[at]?.timestamp ?? 0) - (sent[place]?.at ?? 0) / 1000],
  );
  return offsets.length === 0 ? 0 : Math.max(...offsets) - Math.min(...offsets);
}
