/** Browsers that play what came by RTMP and from a call, with the vendor's page, unchanged. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { type Played, watchPlaying } from "../support/played.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";
import { answer, incoming, sdp, startSipp, take } from "../support/sipp.ts";
import { freePort, serveFolder } from "../support/static-site.ts";

const SDK = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
const PAGE = "/examples/demo/streaming/two_way_streaming/two_way_streaming.html";

let server: TestServer;
let browser: TestBrowser;
let site: Awaited<ReturnType<typeof serveFolder>>;
const encoders: ChildProcess[] = [];

before(async () => {
  const [sip, media] = [await freePort(), await freePort()];
  const sipPorts = { sip_port_from: sip, sip_port_to: 65_535, sip_media_port_from: media };
  const patience = { sip_media_timeout_ms: 30_000, transcoding_max_cpu_percent: 0 };
  const settings = { ...sipPorts, sip_media_port_to: 65_535, ...patience };
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

/** Resolves when the page says that it plays. */
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

/** Resolves when picture and sound, or the sound alone, have come. */
async function plays(name: string, frames: number): Promise<void> {
  const page = await browser.newPage();
  const played = await play(page, name);
  await until(`${frames} pictures and sound`, async () => {
    const { framesDecoded, audioEnergy } = await played();
    return framesDecoded >= frames && audioEnergy > 0.001 ? true : undefined;
  });
  await page.click("#playBtn");
  await waitForText(page, "#playStatus", /STOPPED/);
  await page.close();
}

const AAC = ["-c:a", "aac", "-ac", "2"];
const MP3 = ["-c:a", "libmp3lame"];

test("H.264 and AAC play as they are, B-frames and MP3 anew, from the group that is under way", async () => {
  const names = await Promise.all([publish(0, AAC), publish(2, MP3)]);
  await Promise.all(names.map((name) => plays(name, 50)));
});

test("the G.711 of a call plays as it is", async () => {
  const sdpAudio = sdp("m=audio 6000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000");
  const hold = [take("BYE"), answer(200, { inDialog: true })];
  const sipp = await startSipp([incoming(), answer(200, { sdp: sdpAudio }), take("ACK"), ...hold]);
  const call = { callId: randomBytes(8).toString("hex"), toStream: randomBytes(5).toString("hex") };
  const account = { sipLogin: "tester", sipDomain: "127.0.0.1", sipPort: String(sipp.port) };
  const wish = { ...call, ...account, hasAudio: "true", hasVideo: "false", callee: "callee" };
  assert.equal((await server.rest("/call/startup", wish)).status, 200);
  const tone = ["-re", "-f", "lavfi", "-i", "sine=600:sample_rate=8000", "-c:a", "pcm_alaw"];
  const to = ["-payload_type", "8", "-f", "rtp", `rtp://127.0.0.1:${await sipp.logged("audio")}`];
  encoders.push(spawn("ffmpeg", ["-v", "error", ...tone, ...to], { stdio: "ignore" }));
  const live = { name: call.toStream, status: "PUBLISHING" };
  await server.restUntil("/stream/find", live, (status) => status === 200);
  await plays(call.toStream, 0);
  await server.rest("/call/terminate", call);
  await sipp.done;
  await sipp.stop();
});
