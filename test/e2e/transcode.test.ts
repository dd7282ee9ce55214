/** Pictures that RTMP cannot carry, and pictures that a push wants otherwise, from a real browser. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { decodeErrors, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import {
  PATIENCE_MS,
  PROJECT_ROOT,
  startServer,
  type TestServer,
  until,
} from "../support/server.ts";
import { serveFolder } from "../support/static-site.ts";

let server: TestServer;
let browser: TestBrowser;
let nginx: NginxRtmp;

before(async () => {
  // The machine that tests run on may be busy with anything; admission has tests of its own.
  const settings = {
    transcoding_max_cpu_percent: 0,
    rtmp_transponder_stream_name_prefix: "",
    rtmp_push_restore: "true",
    rtmp_push_restore_interval_ms: 100,
    rtmp_push_restore_attempts: -1,
  };
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

for (const codec of ["H264", "VP8", "VP9", "AV1"]) {
  test(`a publisher of ${codec} alone arrives as the H.264 that is asked for, with its sound`, async () => {
    const { page, name } = await goLive(codec);
    const { body } = await server.rest("/stream/find", { name });
    assert.equal((body as [{ videoCodec: string }])[0].videoCodec, codec, JSON.stringify(body));
    assert.equal(await push(name, { height: 180, fps: 20, keyFrameInterval: 20 }), 200);
    const { file, packets, video } = await recorded(name, 2);
    assert.equal(`${video?.codec_name} ${video?.height}`, "h264 180");
    const pictures = packets.filter(({ kind }) => kind === "video");
    const keys = pictures.flatMap(({ key }, i) => (key ? [i] : []));
    assert.deepEqual(keys.slice(0, 2), [0, 20]);
    assert.ok(packets.some(({ kind, pts }) => kind === "audio" && pts < 500));
    await page.close();
    // The last tag may still be on its way into the file.
    await until("a recording that decodes without an error", async () =>
      (await decodeErrors(file)) === "" ? true : undefined,
    );
  });
}

test("players get VP8, VP9 and AV1 as they are published", async () => {
  const folder = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
  const site = await serveFolder(folder);
  const demo = `${site.url}/examples/demo/streaming/two_way_streaming/two_way_streaming.html`;
  for (const codec of ["VP8", "VP9", "AV1"]) {
    const { page, name } = await goLive(codec);
    const player = await browser.newPage(demo);
    await player.fill("#urlServer", server.wsUrl);
    await player.click("#connectBtn");
    await waitForText(player, "#connectStatus", /ESTABLISHED/);
    await player.fill("#playStream", name);
    await player.click("#playBtn");
    await player.waitForFunction(
      `(() => { const v = document.querySelector("#remoteVideo video");
         return v !== null && v.videoWidth > 0 && v.currentTime > 0.3; })()`,
      undefined,
      { timeout: PATIENCE_MS },
    );
    await Promise.all([page.close(), player.close()]);
  }
  await site.close();
});

test("a codec process that dies takes its push alone, which comes back by itself", async () => {
  const { page, name } = await goLive("VP8");
  const find = async (): Promise<Record<string, unknown>> =>
    (
      (await server.rest("/push/find", { streamName: name })).body as Record<string, unknown>[]
    )[0] ?? {};
  const untilLive = () =>
    until("a live push", async () => ((await find())["state"] === "live" ? true : undefined));
  assert.equal(await push(name, {}), 200);
  await untilLive();
  const [pid] = descendants(server.pid, "video-main");
  process.kill(pid as number, "SIGKILL");
  const lost = await until("the loss", async () => (await find())["lastError"] ?? undefined);
  assert.equal((lost as { code: string }).code, "transcoderFailed");
  await untilLive();
  assert.notEqual(descendants(server.pid, "video-main")[0], pid);
  await page.close();
  await until("the encoder's end", async () =>
    descendants(server.pid, "video-main").length === 0 ? true : undefined,
  );
});

/** Processes below `parent` whose command line names `module`. */
function descendants(parent: number, module: string): number[] {
  const read = (pid: number, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return "";
    }
  };
  const parents = new Map<number, number>();
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(read(pid, "status"))?.[1]));
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === parent || isBelow(parents.get(pid)));
  return [...parents.keys()].filter((pid) => isBelow(pid) && read(pid, "cmdline").includes(module));
}
