import { type Micros, micros } from "../base/time.ts";
import type { IngestStats } from "../media/ingest.ts";

const LOOK = 500_000;
const PAUSE = 3_000_000;
/** So many requests over RTCP in vain are enough. */
const IN_VAIN = 2;

/**
 * When to ask for a keyframe in the signalling (RFC 5168): there are phones and cameras that know no
 * feedback over RTCP, or do not say that they do.
 */
export class PictureFastUpdate {
  static readonly body =
    '<?xml version="1.0" encoding="utf-8"?>\r\n<media_control><vc_primitive><to_encoder>' +
    "<picture_fast_update/></to_encoder></vc_primitive></media_control>\r\n";

  #lookAt: Micros = micros(0);
  #keyframes = 0;
  #requests = 0;

  due(stats: IngestStats | undefined, now: Micros): boolean {
    if (stats === undefined || now < this.#lookAt) return false;
    this.#lookAt = micros(now + LOOK);
    if (stats.keyframes !== this.#keyframes) {
      this.#keyframes = stats.keyframes;
      this.#requests = stats.keyframeRequests;
    }
    if (stats.keyframeRequests - this.#requests < IN_VAIN) return false;
    this.#requests = stats.keyframeRequests;
    this.#lookAt = micros(now + PAUSE);
    return true;
  }
}
