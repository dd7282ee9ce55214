/** Browsers that play what came by RTMP, with the vendor's page, unchanged. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { type Played, watchPlaying } from "../support/played.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";
import { serveFolder } from "../support/static-site.ts";

const SDK = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
const PAGE = "/examples/demo/streaming/two_way_streaming/two_way_streaming.html";

let server: TestServer;
let browser: TestBrowser;
let site: Awaited<ReturnType<typeof serveFolder>>;
const encoders: ChildProcess[] = [];

before(async () => {
  const settings = { transcoding_max_cpu_percent: 0 };
  [server, browser, site] = await Promise.all([
    startServer(settings),
    launchChromium(),
    serveFolder(SDK),
  ]);
});
after(async () => {
  for (const encoder of encoders) encoder.kill("SIGKILL");
  await browser.close();
  await Promise.all([server.stop(), site.close()]);
});

/** A test picture with a keyframe every 10 s and a tone at 44.1 kHz, in real time. */
async function publish(bFrames: number, audio: readonly string[]): Promise<string> {
  const name = `p-${randomBytes(5).toString("hex")}`;
  const picture = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"];
  const tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
  const x264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "250", "-pix_fmt", "yuv420p"];
  const target = ["-t", "60", "-f", "flv", `${server.receiver}/${name}`];
  const args = ["-v", "error", "-re", ...picture, ...tone, ...x264, "-bf", `${bFrames}`];
  encoders.push(spawn("ffmpeg", [...args, ...audio, ...target], { stdio: "ignore" }));
  await server.restUntil("/stream/find", { name, status: "PUBLISHING" }, (s) => s === 200);
  return name;
}

async function play(page: Page, name: string): Promise<() => Promise<Played>> {
  const played = await watchPlaying(page);
  await page.goto(`${site.url}${PAGE}`);
  await page.fill("#urlServer", server.wsUrl);
  await page.click("#connectBtn");
  await waitForText(page, "#connectStatus", /ESTABLISHED/);
  await page.fill("#playStream", name);
  await page.click("#playBtn");
  await waitForText(page, "#playStatus", /PLAYING/);
  return played;
}

const AAC = ["-c:a", "aac", "-ac", "2"];
const MP3 = ["-c:a", "libmp3lame"];

for (const [what, bFrames, audio] of [
  ["H.264 as it is and AAC", 0, AAC],
  ["H.264 with B-frames and MP3", 2, MP3],
] as const) {
  test(`a browser plays ${what} from the group that is under way, with sound`, async () => {
    const name = await publish(bFrames, audio);
    const page = await browser.newPage();
    const played = await play(page, name);
    const seen = await until("picture and sound", async () => {
      const now = await played();
      return now.framesDecoded > 50 && now.audioEnergy > 0.001 ? now : undefined;
    });
    assert.equal(seen.packetsLost, 0);
    assert.equal(
      await page.evaluate(`document.querySelector("#remoteVideo video").videoWidth`),
      320,
    );
    await page.click("#playBtn");
    await waitForText(page, "#playStatus", /STOPPED/);
    await page.close();
  });
}
