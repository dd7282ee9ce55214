/** What a page's browser says of the streams that it plays. */
import type { Page } from "playwright-core";

export interface Played {
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly packetsLost: number;
  readonly keyFramesDecoded: number;
  /** Of the sound that was heard: loudness of full scale is 1 a second (webrtc-stats, totalAudioEnergy). */
  readonly audioEnergy: number;
  readonly audioSeconds: number;
  readonly audioConcealed: number;
  /** When the picture and the sound that play now were taken, by the sender's clock; milliseconds. */
  readonly videoTime: number;
  readonly audioTime: number;
}

/** To be called before the page opens its connections. */
export async function watchPlaying(page: Page): Promise<() => Promise<Played>> {
  await page.addInitScript(`
    window.__connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...args) { super(...args); window.__connections.push(this); }
    };`);
  return () => page.evaluate(READ) as Promise<Played>;
}

const READ = `(async () => {
  const reports = await Promise.all(
    window.__connections.filter((c) => c.connectionState === "connected").map((c) => c.getStats()));
  const all = reports.flatMap((r) => [...r.values()]).filter((s) => s.type === "inbound-rtp");
  const video = all.find((s) => s.kind === "video") ?? {};
  const audio = all.find((s) => s.kind === "audio") ?? {};
  return {
    framesDecoded: video.framesDecoded ?? 0,
    framesDropped: video.framesDropped ?? 0,
    packetsLost: (video.packetsLost ?? 0) + (audio.packetsLost ?? 0),
    keyFramesDecoded: video.keyFramesDecoded ?? 0,
    audioEnergy: audio.totalAudioEnergy ?? 0,
    audioSeconds: audio.totalSamplesDuration ?? 0,
    audioConcealed: audio.concealedSamples ?? 0,
    videoTime: video.estimatedPlayoutTimestamp ?? 0,
    audioTime: audio.estimatedPlayoutTimestamp ?? 0,
  };
})()`;
