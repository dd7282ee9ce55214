/**
 * What platforms demand of whoever publishes to them, as far as their documentation says. Pure, and
 * shared with the page.
 */

/** Kilobits per second that suit a picture whose smaller side has at least `lines`. */
export interface BitrateRange {
  readonly lines: number;
  readonly low: number;
  readonly high: number;
}

export interface DestinationProfile {
  readonly id: string;
  /** For a person. */
  readonly name: string;
  /** A host belongs to it when it equals one of these or ends in one at a dot. */
  readonly hosts: readonly string[];
  /** URL without the key; undefined when every user is given another one. */
  readonly server: string | undefined;
  /** Where the URL and key are found, for a person. */
  readonly hint: string;
  /** The application that the URL has to name; undefined when it may be any. */
  readonly app: string | undefined;
  /** Port that the platform listens on when the URL says rtmp; undefined is 1935. */
  readonly plainPort: number | undefined;
  readonly tlsOnly: boolean;
  /** Whether the name to publish under is a key that gives the right to broadcast. */
  readonly needsKey: boolean;
  /** Seconds between two keyframes: what is asked for, and what must not be exceeded. */
  readonly keyframes: { readonly asked: number; readonly limit: number | undefined };
  /** Kilobits per second that must not be exceeded. */
  readonly maxBitrate: number | undefined;
  /** Largest picture first. */
  readonly bitrates: readonly BitrateRange[];
  readonly fps: { readonly low: number; readonly high: number };
  /** Refuses streams without an audio track. */
  readonly needsAudio: boolean;
  /** Refuses a change of the picture's size in mid-broadcast. */
  readonly steadyPicture: boolean;
}

const ANY_FPS = { low: 5, high: 240 };

/** Any RTMP server: asks for nothing that a player would not ask for. */
export const OTHER_SERVER: DestinationProfile = {
  id: "other",
  name: "Other RTMP server",
  hosts: [],
  server: undefined,
  hint: "rtmp(s)://host/application, without the stream's name.",
  app: undefined,
  plainPort: undefined,
  tlsOnly: false,
  needsKey: false,
  keyframes: { asked: 10, limit: undefined },
  maxBitrate: undefined,
  bitrates: [],
  fps: ANY_FPS,
  needsAudio: false,
  steadyPicture: false,
};

const platform = (
  own: Partial<DestinationProfile> & Pick<DestinationProfile, "id" | "name" | "hosts">,
): DestinationProfile => ({
  ...OTHER_SERVER,
  hint: "The key stands in the platform's live settings.",
  needsKey: true,
  keyframes: { asked: 2, limit: undefined },
  ...own,
});

/** The platforms that are known, the most used first. */
export const PLATFORMS: readonly DestinationProfile[] = [
  platform({
    id: "youtube",
    name: "YouTube",
    hosts: ["rtmp.youtube.com", "rtmps.youtube.com"],
    server: "rtmps://a.rtmps.youtube.com:443/live2",
    hint: "YouTube Studio, Create, Go live, Stream: the stream key.",
    app: "live2",
    keyframes: { asked: 2, limit: 4 },
    maxBitrate: 51_000,
    bitrates: [
      { lines: 1080, low: 3000, high: 12_000 },
      { lines: 720, low: 3000, high: 8000 },
    ],
    needsAudio: true,
  }),
  platform({
    id: "twitch",
    name: "Twitch",
    hosts: ["live.twitch.tv", "contribute.live-video.net"],
    server: "rtmp://live.twitch.tv/app",
    hint: "Creator Dashboard, Settings, Stream. A key that ends in ?bandwidthtest=true does not go on air.",
    app: "app",
    maxBitrate: 6000,
    fps: { low: 25, high: 60 },
  }),
  platform({
    id: "facebook",
    name: "Facebook",
    hosts: ["facebook.com"],
    server: "rtmps://live-api-s.facebook.com:443/rtmp",
    hint: "Live Producer, Streaming software. A key is good for about a day, a broadcast for 8 hours.",
    app: "rtmp",
    tlsOnly: true,
    keyframes: { asked: 2, limit: 4 },
    bitrates: [
      { lines: 1080, low: 3000, high: 6000 },
      { lines: 720, low: 1500, high: 4000 },
      { lines: 480, low: 600, high: 2000 },
      { lines: 360, low: 400, high: 1000 },
    ],
    needsAudio: true,
    steadyPicture: true,
  }),
  platform({
    id: "ivs",
    name: "Kick, Amazon IVS",
    hosts: ["global-contribute.live-video.net"],
    hint: "Copy the ingest server (rtmps://...global-contribute.live-video.net) and the key from your channel.",
    app: "app",
    tlsOnly: true,
    maxBitrate: 8500,
    fps: { low: 10, high: 60 },
  }),
  platform({
    id: "x",
    name: "X",
    hosts: ["pscp.tv"],
    server: "rtmp://va.pscp.tv:80/x",
    hint: "Media Studio, Producer, Sources: the region's server and the key.",
    app: "x",
    plainPort: 80,
    keyframes: { asked: 3, limit: 3 },
    maxBitrate: 12_000,
    fps: { low: 5, high: 60 },
  }),
  platform({
    id: "mux",
    name: "Mux",
    hosts: ["global-live.mux.com"],
    server: "rtmps://global-live.mux.com:443/app",
    app: "app",
    plainPort: 5222,
    maxBitrate: 5000,
  }),
  platform({
    id: "cloudflare",
    name: "Cloudflare Stream",
    hosts: ["live.cloudflare.com"],
    server: "rtmps://live.cloudflare.com:443/live",
    app: "live",
    keyframes: { asked: 8, limit: undefined },
  }),
  platform({
    id: "restream",
    name: "Restream",
    hosts: ["restream.io"],
    server: "rtmp://live.restream.io/live",
    app: "live",
  }),
  platform({
    id: "vimeo",
    name: "Vimeo",
    hosts: ["cloud.vimeo.com"],
    server: "rtmp://rtmp.cloud.vimeo.com/live",
    app: "live",
  }),
];

const belongs = (host: string, suffix: string): boolean =>
  host === suffix || host.endsWith(`.${suffix}`);

/** The profile of a host, without regard to case; `OTHER_SERVER` when it is of no known platform. */
export function profileOfHost(host: string): DestinationProfile {
  const name = host.toLowerCase().replace(/\.$/, "");
  const known = PLATFORMS.find(({ hosts }) => hosts.some((suffix) => belongs(name, suffix)));
  return known ?? OTHER_SERVER;
}

/** What suits a picture of this size; undefined when the platform says nothing about it. */
export function bitrateRange(
  profile: DestinationProfile,
  width: number,
  height: number,
): BitrateRange | undefined {
  const side = Math.min(width, height);
  return profile.bitrates.find(({ lines }) => side >= lines);
}
