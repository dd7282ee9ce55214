/** The web page, as a person uses it. */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { publishNative } from "../support/native-publisher.ts";
import { checkPage, tabTo } from "../support/page-checks.ts";
import { PATIENCE_MS, startServer, type TestServer } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let server: TestServer;
let browser: TestBrowser;

before(async () => {
  [server, browser] = await Promise.all([
    startServer({
      rtmp_push_restore: "true",
      rtmp_push_restore_attempts: 1,
      // Long enough to be read on a busy machine while it lasts.
      rtmp_push_restore_interval_ms: 6000,
    }),
    launchChromium(),
  ]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

async function openPage(): Promise<Page> {
  const page = await browser.newPage(`${server.httpUrl}/`);
  await waitForText(page, "header .link", /Connected/);
  return page;
}

async function goLive(page: Page): Promise<string> {
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  return page.inputValue("#streamName");
}

async function untilPlays(page: Page, selector: string): Promise<void> {
  const video = `document.querySelector(${JSON.stringify(selector)})`;
  const script = `${video} !== null && ${video}.videoWidth > 0 && ${video}.currentTime > 0.5`;
  await page.waitForFunction(script, undefined, { timeout: PATIENCE_MS });
}

/** Half a second of silence as RIFF WAV, 8 kHz, 16 bits, mono. */
function silentWav(): Buffer {
  const header = Buffer.from("RIFF....WAVEfmt ....................data....");
  header.writeUInt32LE(36 + 8000, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.writeUInt32LE(8000, 40);
  return Buffer.concat([header, Buffer.alloc(8000)]);
}

test("go live, start a push, and the republished picture plays beside the camera", async () => {
  const page = await openPage();
  await waitForText(page, "#streams .empty", /Nobody is live/);
  await checkPage(page);
  assert.equal(await page.inputValue("#rtmpUrl"), server.receiver);
  await goLive(page);
  await page.click("#startPush");
  await untilPlays(page, ".playback video");
  await waitForText(page, ".push .state", /Live/);
  await waitForText(page, ".push .badge", /Health: (Good|Fair) \d+ of 100/);
  await waitForText(page, ".stream .figures", /\d+ (kb|Mb)\/s/);
  await page.click("text=Preview");
  await untilPlays(page, ".stream .screen:not(.playback) video");
  await checkPage(page);
  await page.click(".push button >> text=Mute");
  await page.waitForSelector(".push button >> text=Unmute");
  await page.click(".push button >> text=Stop push");
  await waitForText(page, ".stream .none", /Not pushed anywhere/);
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /Not live/);
  await waitForText(page, "#streams .empty", /Nobody is live/);
  assert.deepEqual(browser.problems, []);
  await page.close();
});

test("a push that cannot start says why", async () => {
  const page = await openPage();
  await goLive(page);
  await page.fill("#rtmpUrl", "http://example.org/live");
  await waitForText(page, "#destinationFindings", /has to be rtmp:/);
  await page.click("#startPush");
  assert.equal(await page.evaluate("document.activeElement.id"), "rtmpUrl");
  await page.fill("#rtmpUrl", "rtmp://nowhere.invalid/live");
  await page.click("#startPush");
  await waitForText(page, "form [role=alert]", /RtmpUrl: the host has no address/);
  await page.close();
});

test("the platform is known by its URL, and a pasted key moves to a field that hides it", async () => {
  const page = await openPage();
  const secret = randomUUID();
  await page.fill("#rtmpUrl", `rtmp://live.twitch.tv/app/${secret}`);
  assert.equal(await page.inputValue("#platform"), "twitch");
  assert.equal(await page.inputValue("#rtmpUrl"), "rtmp://live.twitch.tv/app");
  assert.equal(await page.inputValue("#streamKey"), secret);
  assert.equal(await page.getAttribute("#streamKey", "type"), "password");
  await page.selectOption("#platform", "youtube");
  assert.equal(await page.inputValue("#rtmpUrl"), "rtmps://a.rtmps.youtube.com:443/live2");
  assert.equal(await page.inputValue("#streamKey"), "");
  await page.fill("#rtmpUrl", "rtmp://live-api-s.facebook.com/rtmp");
  await waitForText(page, "#destinationFindings", /Facebook takes rtmps:\/\/ only/);
  await page.close();
});

test("a destination can be tried without going live", async () => {
  const page = await openPage();
  await page.click("#tryDestination");
  await waitForText(page, "#pushStatus", /The destination answers; nothing was published/);
  await waitForText(page, ".check-steps", /Connection: fine/);
  await page.fill("#rtmpUrl", `rtmp://127.0.0.1:${await freePort()}/live`);
  await page.click("#tryDestination");
  await waitForText(page, "#pushStatus", /cannot be reached/);
  await waitForText(page, ".check-steps", /Connection: failed.+/);
  await checkPage(page);
  await page.close();
});

test("all of it works with the keyboard alone", async (t) => {
  const destination = await StrictServer.start();
  t.after(() => destination.stop());
  const page = await openPage();
  await tabTo(page, "#goLive");
  await page.keyboard.press("Enter");
  await waitForText(page, "#liveStatus", /You are live/);
  await tabTo(page, "#rtmpUrl");
  await page.keyboard.press("Control+A");
  await page.keyboard.type(destination.url());
  await page.keyboard.press("Enter");
  await waitForText(page, ".push .state", /Live/);
  await waitForText(page, "body > #app > [role=status]", /Push of .* to .+ is live/);
  await writeFile(join(server.mediaDirectory, "pause.wav"), silentWav());
  await tabTo(page, ".push button[aria-expanded]");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("pause.wav");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".push button[aria-pressed=true] >> text=Sound off");
  await tabTo(page, ".push button.danger");
  await page.keyboard.press("Enter");
  await waitForText(page, ".stream .none", /Not pushed anywhere/);
  await page.waitForFunction(`document.activeElement?.tagName === "H3"`);
  await tabTo(page, ".stream button.danger");
  await page.keyboard.press("Enter");
  await waitForText(page, ".stream button.danger", /Really stop it/);
  await page.keyboard.press("Enter");
  await waitForText(page, "#streams .empty", /Nobody is live/);
  await waitForText(page, ".over", /a REST call ended it/i);
  await page.close();
});

test("a lost destination counts down to the next attempt, then fails with its reason", async (t) => {
  const page = await openPage();
  const name = randomBytes(4).toString("hex");
  const publisher = await publishNative(server.httpUrl, name);
  t.after(() => publisher.close());
  await page.waitForSelector(`.stream >> text=${name}`);
  await page.fill("#rtmpUrl", `rtmp://127.0.0.1:${await freePort()}/live`);
  await page.click("#startPush");
  await waitForText(page, ".push .state", /Reconnecting in \d s, attempt 2/);
  await waitForText(page, ".push .badge", /Bad/);
  await waitForText(page, ".push .findings", /The connection was lost: .+/);
  await checkPage(page);
  await waitForText(page, ".push.failed .why", /1 attempts failed; last: connectRefused/);
  await waitForText(page, "body > #app > [role=status]", /failed\. /);
  await checkPage(page);
  await page.click(".push.failed button >> text=Start again");
  await waitForText(page, ".push:not(.failed) .state", /Reconnecting in \d s/);
  await server.rest("/stream/terminate", { name });
  await page.close();
});

test("what was lost with a connection stays on the page, with its reason", async (t) => {
  const destination = await StrictServer.start();
  t.after(() => destination.stop());
  const page = await openPage();
  const streamName = randomBytes(4).toString("hex");
  const publisher = await publishNative(server.httpUrl, streamName);
  t.after(() => publisher.close());
  await page.waitForSelector(`.stream >> text=${streamName}`);
  await page.fill("#rtmpUrl", destination.url());
  await page.click("#startPush");
  await waitForText(page, ".push .state", /Live/);
  destination.clients.at(-1)?.reset();
  await waitForText(
    page,
    ".push .outages",
    /Connection restored once; \d+\.\d s and \d+ pictures? were lost\. Last reason: .+\./,
  );
  await waitForText(page, "body > #app > [role=status]", /is live\. Connection restored once/);
  await checkPage(page);
  await server.rest("/stream/terminate", { name: streamName });
  await page.close();
});

test("ten streams are shown without asking the server for anything", async (t) => {
  const destination = await StrictServer.start();
  t.after(() => destination.stop());
  const page = await openPage();
  const names = Array.from({ length: 10 }, () => randomBytes(4).toString("hex"));
  const publishers = await Promise.all(names.map((name) => publishNative(server.httpUrl, name)));
  t.after(() => {
    for (const publisher of publishers) publisher.close();
  });
  for (const streamName of names.slice(0, 3)) {
    await server.restUntil(
      "/push/startup",
      { streamName, rtmpUrl: destination.url() },
      (status) => status === 200,
    );
  }
  await waitForText(page, ".count", /10 streams, 3 pushes/);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const ages = new Set<string>();
  while (ages.size < 4) ages.add((await page.textContent(".stream .age")) ?? "");
  await page.waitForFunction(
    `document.querySelectorAll("[aria-label^='Bitrate in'] polyline").length === 10`,
  );
  assert.deepEqual(requests, []);
  await checkPage(page);
  await server.rest("/stream/terminate", {});
  await waitForText(page, "#streams .empty", /Nobody is live/);
  assert.deepEqual(browser.problems, []);
  await page.close();
});

test("a locked server asks for its token, and for one to publish; a lost one is told", async (t) => {
  const token = randomUUID();
  const publishToken = randomUUID();
  const locked = await startServer({
    disable_rest_auth: "false",
    rest_auth_token: token,
    publish_token: publishToken,
  });
  t.after(() => locked.stop());
  const page = await browser.newPage(`${locked.httpUrl}/`);
  await waitForText(page, "main h2", /This server is locked/);
  await checkPage(page);
  await page.fill("#token", randomUUID());
  await page.keyboard.press("Enter");
  await waitForText(page, "#tokenStatus", /did not accept/);
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await waitForText(page, "header .link", /Connected/);
  await page.fill("#publishToken", publishToken);
  await goLive(page);
  await page.click(".stream button >> text=Preview");
  await untilPlays(page, ".stream .picture video");
  const text = String(await page.evaluate("document.documentElement.outerHTML"));
  assert.ok(!text.includes(token) && !text.includes(publishToken));
  await locked.stop();
  await waitForText(page, "#lost", /connection to the server is lost/);
  await checkPage(page);
  await page.close();
});
