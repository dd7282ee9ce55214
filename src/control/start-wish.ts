import type { StartAction, StartWish } from "./transponder-service.ts";

/** What a push may be asked for with, under the names of WCS. Zero means unset in the numbers. */
export interface StartRequest {
  readonly rtmpUrl: string;
  readonly rtmpTransponderFullUrl?: boolean | undefined;
  readonly rtmpFlashVersion?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Kilobits per second. */
  readonly bitrate?: number | undefined;
  readonly fps?: number | undefined;
  /** Frames from one keyframe to the next. */
  readonly keyFrameInterval?: number | undefined;
  readonly options?: StartAction | undefined;
}

const NUMBERS = ["width", "height", "bitrate", "fps", "keyFrameInterval"] as const;

/** The request as the service takes it; answers repeat its numbers, its options and `more`. */
export function startWish(
  streamName: string,
  request: StartRequest,
  more: Readonly<Record<string, unknown>> = {},
): StartWish {
  const { rtmpUrl, options, width = 0, height = 0, bitrate = 0, fps = 0 } = request;
  const given = NUMBERS.filter((field) => request[field] !== undefined);
  const numbers = Object.fromEntries(given.map((field) => [field, request[field]]));
  return {
    streamName,
    rtmpUrl,
    fullUrl: request.rtmpTransponderFullUrl,
    flashVersion: request.rtmpFlashVersion,
    options,
    video: { width, height, bitrate, fps, keyFrameInterval: request.keyFrameInterval ?? 0 },
    echo: { ...numbers, options: options ?? {}, ...more },
  };
}
