/** REST as WCS clients know it: statuses, bodies, other origins. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { PROJECT_ROOT, startServer, type TestServer } from "../support/server.ts";
import { serveFolder } from "../support/static-site.ts";

const SDK = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
let server: TestServer;
let browser: TestBrowser;
let otherOrigin: Awaited<ReturnType<typeof serveFolder>>;
let stream: string;

before(async () => {
  [server, browser, otherOrigin] = await Promise.all([
    startServer(),
    launchChromium(),
    serveFolder(SDK),
  ]);
  const page = await browser.newPage(`${server.httpUrl}/`);
  stream = await page.inputValue("#streamName");
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
});
after(async () => {
  await browser.close();
  await Promise.all([server.stop(), otherOrigin.close()]);
});

const random = (): string => randomBytes(5).toString("hex");
/** Where the stream arrives under its own name with the prefix. */
const destination = (): string => String(server.receiver);

async function startup(more: object = {}): Promise<Record<string, unknown>> {
  const body = { streamName: stream, rtmpUrl: destination(), ...more };
  const answer = await server.rest("/push/startup", body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Record<string, unknown>;
}

async function terminate(push: Record<string, unknown>): Promise<void> {
  const { mediaSessionId } = push;
  const { status, body } = await server.rest("/push/terminate", { mediaSessionId });
  assert.deepEqual([status, body], [200, undefined]);
}

test("startup answers the transponder object, and find and find_all show it until terminate", async () => {
  const rtmpUrl = destination();
  const push = await startup({ rtmpUrl, unknownKey: [1], rtmpTransponderFullUrl: "false" });
  assert.match(String(push["mediaSessionId"]), /^[a-z0-9]{26}$/);
  const { streamName, muted, soundEnabled, width, height, options } = push;
  assert.deepEqual(
    { streamName, muted, soundEnabled, width, height, options },
    {
      streamName: `rtmp_${stream}`,
      muted: false,
      soundEnabled: false,
      width: 0,
      height: 0,
      options: {},
    },
  );
  for (const filter of [
    { streamName: stream },
    { streamName: `rtmp_${stream}` },
    { rtmpUrl },
    { streamName: `rtmp_${stream}`, rtmpUrl },
  ]) {
    const { status, body } = await server.rest("/push/find", filter);
    assert.equal(status, 200, JSON.stringify(filter));
    const ids = (body as Record<string, unknown>[]).map((found) => found["mediaSessionId"]);
    assert.deepEqual(ids, [push["mediaSessionId"]]);
  }
  assert.equal(
    (await server.rest("/push/find", { rtmpUrl: `${destination()}/${random()}` })).status,
    404,
  );
  const all = await fetch(`${server.httpUrl}/rest-api/push/find_all`);
  assert.equal(all.status, 200);
  assert.equal(((await all.json()) as unknown[]).length, 1);
  await terminate(push);
  for (const path of ["/push/find_all", "/push/find"]) {
    assert.equal((await server.rest(path)).status, 404, path);
  }
  const again = await server.rest("/push/terminate", { mediaSessionId: push["mediaSessionId"] });
  assert.equal(again.status, 404);
});

test("the same stream to the same name is refused, to another name of the same server it is not", async () => {
  const rtmpUrl = `${server.receiver}/${random()}`;
  const full = { rtmpUrl, rtmpTransponderFullUrl: true };
  const push = await startup(full);
  assert.equal(push["streamName"], rtmpUrl.split("/").at(-1));
  const twice = await server.rest("/push/startup", { streamName: stream, ...full });
  assert.equal(twice.status, 409);
  const other = await startup({ rtmpUrl: `${rtmpUrl}x`, rtmpTransponderFullUrl: true });
  const both = await Promise.all([
    server.rest("/push/startup", { streamName: stream, rtmpUrl: `${server.receiver}` }),
    server.rest("/push/startup", { streamName: stream, rtmpUrl: `${server.receiver}` }),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  const raced = both.find(({ status }) => status === 200)?.body as Record<string, unknown>;
  for (const each of [push, other, raced]) await terminate(each);
});

test("a refusal names the field and has the body of WCS", async () => {
  const rtmpUrl = "rtmp://127.0.0.1:9/live";
  const cases: readonly (readonly [object, number, RegExp])[] = [
    [{ streamName: stream }, 400, /^rtmpUrl/],
    [{ rtmpUrl }, 400, /^streamName/],
    [{ streamName: 5, rtmpUrl }, 400, /^streamName/],
    [{ streamName: stream, rtmpUrl: "http://127.0.0.1/live" }, 400, /^rtmpUrl/],
    [{ streamName: stream, rtmpUrl: "rtmp://127.0.0.1:99999/live" }, 400, /^rtmpUrl/],
    [{ streamName: stream, rtmpUrl: "rtmp://127.0.0.1" }, 400, /^rtmpUrl/],
    [{ streamName: stream, rtmpUrl: `rtmp://${random()}.invalid/live` }, 400, /^rtmpUrl/],
    [{ streamName: stream, rtmpUrl, options: { action: "dance" } }, 400, /^options/],
    [{ streamName: stream, rtmpUrl, options: { action: "sound_on" } }, 400, /^options\.soundFile/],
    [{ streamName: stream, rtmpUrl, width: "wide" }, 400, /^width/],
    [{ streamName: random(), rtmpUrl }, 404, /^streamName/],
  ];
  for (const [body, status, message] of cases) {
    const answer = await server.rest("/push/startup", body);
    const error = answer.body as Record<string, unknown>;
    assert.equal(answer.status, status, `${JSON.stringify(body)}: ${JSON.stringify(error)}`);
    assert.match(String(error["message"]), message);
    const keys = ["error", "exception", "message", "path", "reason", "status", "timestamp"];
    assert.deepEqual(Object.keys(error).sort(), keys);
    assert.equal(error["path"], "/rest-api/push/startup");
    assert.equal(error["status"], status);
  }
  const broken = await fetch(`${server.httpUrl}/rest-api/push/startup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"streamName":',
  });
  assert.equal(broken.status, 400);
  assert.equal((await server.rest(`/push/${random()}`)).status, 404);
});

test("the live stream is listed with what is known of it", async () => {
  const { status, body } = await server.rest("/stream/find_all");
  assert.equal(status, 200);
  const [found] = body as Record<string, unknown>[];
  assert.deepEqual(
    [found?.["name"], found?.["status"], found?.["published"], found?.["videoCodec"]],
    [stream, "PUBLISHING", true, "H264"],
  );
});

test("the vendor's REST module works from a page of another origin", async () => {
  const page = await browser.newPage(`${otherOrigin.url}/README.md`);
  await page.addScriptTag({ url: `${otherOrigin.url}/flashphoner-rest-api.js` });
  const rtmpUrl = destination();
  const outcome = await page.evaluate(
    `(async () => {
      const rest = FlashphonerRestApi.instance(${JSON.stringify(server.httpUrl)}, ${JSON.stringify(server.httpUrl)});
      const started = await rest.push.push(${JSON.stringify(stream)}, ${JSON.stringify(rtmpUrl)}, false);
      const found = await rest.push.find(${JSON.stringify(`rtmp_${stream}`)}, ${JSON.stringify(rtmpUrl)});
      const all = await rest.push.findAll();
      const ended = await rest.push.terminate(started.mediaSessionId);
      const gone = await rest.push.findAll().then(() => "found", () => "rejected");
      return { id: started.mediaSessionId, found: found[0].mediaSessionId, all: all.length, ended: ended ?? null, gone };
    })()`,
  );
  const { id, found, ...rest } = outcome as Record<string, unknown>;
  assert.equal(found, id);
  assert.deepEqual(rest, { all: 1, ended: null, gone: "rejected" });
  await page.close();
});
