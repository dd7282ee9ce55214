/** Pictures that RTMP cannot carry, and pictures that a push wants otherwise, from a real browser. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { decodeErrors, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../support/server.ts";

let server: TestServer;
let browser: TestBrowser;
let nginx: NginxRtmp;

before(async () => {
  // The machine that tests run on may be busy with anything; admission has tests of its own.
  const settings = { transcoding_max_cpu_percent: 0, rtmp_transponder_stream_name_prefix: "" };
  [server, browser, nginx] = await Promise.all([
    startServer(settings),
    launchChromium(),
    startNginxRtmp(),
  ]);
});
after(async () => {
  await browser.close();
  await Promise.all([server.stop(), nginx.stop()]);
});

/** Goes live on the server's own page, in a browser that offers this one video codec. */
async function goLive(codec: string): Promise<{ page: Page; name: string }> {
  const page = await browser.newPage();
  await page.addInitScript(`
    const { createOffer } = RTCPeerConnection.prototype;
    const repair = /\\/(rtx|red|ulpfec|flexfec-03)$/i;
    const { codecs } = RTCRtpSender.getCapabilities("video");
    const kept = codecs.filter((c) => c.mimeType === "video/${codec}" || repair.test(c.mimeType));
    RTCPeerConnection.prototype.createOffer = function (...args) {
      for (const transceiver of this.getTransceivers()) {
        if (transceiver.sender.track?.kind === "video") transceiver.setCodecPreferences(kept);
      }
      return createOffer.apply(this, args);
    };
  `);
  await page.goto(`${server.httpUrl}/`);
  const name = await page.inputValue("#streamName");
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  return { page, name };
}

async function push(streamName: string, more: object): Promise<number> {
  const body = { streamName, rtmpUrl: nginx.url, ...more };
  return (await server.rest("/push/startup", body)).status;
}

/** What arrived at nginx when so many seconds have. */
async function recorded(name: string, seconds: number) {
  const file = await nginx.recording(name);
  const packets = await until(`${seconds} s of ${name}`, async () => {
    const read = await packetsOf(file).catch(() => []);
    const last = read.filter(({ kind }) => kind === "video").at(-1);
    return last !== undefined && last.pts >= seconds * 1000 ? read : undefined;
  });
  const video = (await streamsOf(file)).find((s) => s.codec_type === "video");
  return { file, packets, video };
}

for (const codec of ["VP8", "VP9", "AV1"]) {
  test(`a publisher of ${codec} alone arrives as H.264 with its sound`, async () => {
    const { page, name } = await goLive(codec);
    const { body } = await server.rest("/stream/find", { name });
    assert.equal((body as [{ videoCodec: string }])[0].videoCodec, codec, JSON.stringify(body));
    assert.equal(await push(name, { height: 180, fps: 20, keyFrameInterval: 20 }), 200);
    const { file, packets, video } = await recorded(name, 3);
    assert.equal(`${video?.codec_name} ${video?.height}`, "h264 180");
    const pictures = packets.filter(({ kind }) => kind === "video");
    const keys = pictures.flatMap(({ key }, i) => (key ? [i] : []));
    assert.deepEqual(keys.slice(0, 3), [0, 20, 40]);
    assert.ok(packets.some(({ kind, pts }) => kind === "audio" && pts < 500));
    assert.equal(await decodeErrors(file), "");
    await page.close();
  });
}
