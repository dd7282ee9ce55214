import type { VideoTag } from "../protocol/flv/tag.ts";
import type { AudioSlot } from "./audio-line.ts";
import type { HubSubscriber } from "./stream-hub.ts";

/** Gives a destination what went by already, in order of time. */
export function replay(
  tags: readonly VideoTag[],
  slots: readonly AudioSlot[],
  subscriber: HubSubscriber,
): void {
  let next = 0;
  for (const tag of tags) {
    for (let slot = slots[next]; slot !== undefined && slot.pts < tag.pts; slot = slots[next]) {
      subscriber.onAudio(slot);
      next += 1;
    }
    subscriber.onVideo(tag);
  }
  for (const slot of slots.slice(next)) subscriber.onAudio(slot);
}
