/** Application, tcUrl and stream name on the wire: what ffmpeg sends for the same URL, and what OBS does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { publishBriefly } from "../support/rtmp-publish.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let server: StrictServer;
before(async () => {
  server = await StrictServer.start();
});
after(() => server.stop());

const word = (): string => randomBytes(4).toString("hex");
const [user, pass, key, name] = [word(), word(), word(), word()];

/** The destination as a server knows it. */
const seen = ({ connect, publishName }: RtmpClient) => ({
  app: connect?.["app"],
  tcUrl: connect?.["tcUrl"],
  type: connect?.["type"],
  name: publishName,
});

async function byUs(path: string, streamName: string | undefined, on = server) {
  const before = on.clients.length;
  await publishBriefly(on.url(path), streamName);
  const [client] = on.clients.slice(before);
  assert.ok(client !== undefined && client.fault === undefined, client?.fault);
  return client;
}

async function byFfmpeg(path: string, options: readonly string[] = [], on = server) {
  const before = on.clients.length;
  const picture = ["-f", "lavfi", "-i", "color=size=32x32", "-frames:v", "1"];
  const output = ["-f", "flv", ...options, on.url(path)];
  const child = spawn("ffmpeg", ["-v", "error", ...picture, ...output], { stdio: "ignore" });
  await new Promise((resolve) => child.once("exit", resolve));
  const [client] = on.clients.slice(before);
  assert.ok(client !== undefined, "ffmpeg reached the server");
  return client;
}

test("a name beside the URL gives what ffmpeg sends for URL and name together", async () => {
  const urls = [
    "live",
    `app/${word()}`,
    `app?user=${user}&pass=${pass}`,
    `app/?user=${user}&pass=${pass}`,
    `app?username=${user}&password=${pass}`,
    "live2?backup=1",
  ];
  for (const url of urls) {
    const ffmpeg = seen(await byFfmpeg(`${url}/rtmp_${name}`));
    assert.deepEqual(seen(await byUs(url, `rtmp_${name}`)), ffmpeg, url);
    assert.deepEqual(seen(await byUs(`${url}/`, `rtmp_${name}`)), ffmpeg, `${url}/`);
  }
});

test("a name in the URL gives what ffmpeg sends for the same URL", async () => {
  const urls = [
    `live/${key}`,
    `app/instance/${key}`,
    `live/${key}?a=${word()}&b=${word()}`,
    `app/instance/${key}?a=${word()}&b=${word()}`,
    `live2?backup=1/${key}`,
    `app?user=${user}&pass=${pass}/${key}`,
    `app/?user=${user}&pass=${pass}/${key}`,
    `live/mp4:folder/${key}`,
    `app/instance/${key}?sig=a/b==`,
  ];
  for (const url of urls) {
    assert.deepEqual(seen(await byUs(url, undefined)), seen(await byFfmpeg(url)), url);
  }
});

test("a key with ?, &, = and / arrives as it is, as OBS sends it", async () => {
  const keys = [
    `${key}?s_bl=1&s_vt=api-s&a=${word()}`,
    `${key}/b/c`,
    `${key}?sig=a/b+c==&x`,
    "a:b/c",
  ];
  for (const streamName of keys) {
    const separate = ["-rtmp_app", "live", "-rtmp_playpath", streamName];
    const ffmpeg = seen(await byFfmpeg("live/ignored", separate));
    assert.deepEqual(seen(await byUs("live", streamName)), ffmpeg);
    assert.equal(ffmpeg.name, streamName);
  }
});

test("where ffmpeg would cut a URL in the middle of a query, the query stays whole", async () => {
  const cases = [
    [`live/${key}?sig=a/b==`, "live", `${key}?sig=a/b==`],
    [
      `app/instance/?user=${user}&pass=${pass}/${key}`,
      `app/instance/?user=${user}&pass=${pass}`,
      key,
    ],
    [`live/${key}/`, "live", key],
  ] as const;
  for (const [url, app, streamName] of cases) {
    const { app: gotApp, tcUrl, name: gotName } = seen(await byUs(url, undefined));
    assert.deepEqual([gotApp, tcUrl, gotName], [app, server.url(app), streamName]);
  }
});

test("an IPv6 address keeps its brackets in tcUrl", async () => {
  const six = await StrictServer.start({ host: "::1" });
  const ours = seen(await byUs("live", `rtmp_${name}`, six));
  assert.deepEqual(ours, seen(await byFfmpeg(`live/rtmp_${name}`, [], six)));
  assert.equal(ours.tcUrl, `rtmp://[::1]:${six.port}/live`);
  await six.stop();
});
