/** What a page's browser says of the streams that it plays. */
import type { Page } from "playwright-core";

export interface Played {
  readonly framesDecoded: number;
  /** Of the sound that was heard: loudness of full scale is 1 a second (webrtc-stats, totalAudioEnergy). */
  readonly audioEnergy: number;
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
  const reports = await Promise.all(window.__connections.map((c) => c.getStats()));
  const all = reports.flatMap((r) => [...r.values()]).filter((s) => s.type === "inbound-rtp");
  const of = (kind) => all.find((s) => s.kind === kind) ?? {};
  return {
    framesDecoded: of("video").framesDecoded ?? 0,
    audioEnergy: of("audio").totalAudioEnergy ?? 0,
  };
})()`;
