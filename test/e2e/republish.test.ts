/** From a real browser to real RTMP servers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { decodeErrors, type ProbedPacket, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { type NginxRtmp, startFfmpegReceiver, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../support/server.ts";

let server: TestServer;
let browser: TestBrowser;
let nginx: NginxRtmp;

before(async () => {
  [server, browser, nginx] = await Promise.all([startServer(), launchChromium(), startNginxRtmp()]);
});
after(async () => {
  await browser.close();
  await Promise.all([server.stop(), nginx.stop()]);
});

/** Keeps a page's connections, so that a test can ask for what the browser does by itself in time. */
const KEEP_PEERS = `
  window.peers = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...args) { super(...args); window.peers.push(this); }
  };
`;
/** Halves the size of the picture that is sent. */
const HALVE = `(async () => {
  const sender = window.peers.flatMap((peer) => peer.getSenders())
    .find((one) => one.track?.kind === "video");
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = 2;
  await sender.setParameters(parameters);
})()`;

/** Goes live on the server's own page; the page stays open. */
async function goLive(): Promise<{ page: Page; name: string }> {
  const page = await browser.newPage();
  await page.addInitScript(KEEP_PEERS);
  await page.goto(`${server.httpUrl}/`);
  const name = await page.inputValue("#streamName");
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  return { page, name };
}

async function push(streamName: string, rtmpUrl: string, more: object = {}): Promise<string> {
  const { status, body } = await server.rest("/push/startup", { streamName, rtmpUrl, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { mediaSessionId: string }).mediaSessionId;
}

/** Fewer pictures say nothing about their order. */
const ENOUGH_PICTURES = 20;

const untilSeconds = (file: string, seconds: number): Promise<ProbedPacket[]> =>
  until(`${seconds} s of media in ${file}`, async () => {
    const packets = await packetsOf(file).catch(() => []);
    const pictures = packets.filter(({ kind }) => kind === "video");
    const enough =
      pictures.length > ENOUGH_PICTURES && (pictures.at(-1)?.pts ?? 0) >= seconds * 1000;
    return enough ? packets : undefined;
  });

function judge(packets: readonly ProbedPacket[]): void {
  for (const kind of ["video", "audio"] as const) {
    const times = packets.filter((p) => p.kind === kind).map((p) => p.pts);
    assert.ok(times.length > ENOUGH_PICTURES, `${kind} is there`);
    assert.ok((times[0] ?? 9999) < 1000, `${kind} from the first second: ${times[0]}`);
    times.forEach((time, at) => {
      assert.ok(at === 0 || time >= (times[at - 1] as number), `${kind} goes back at ${at}`);
    });
  }
  const [first] = packets.filter((p) => p.kind === "video");
  assert.ok(first?.key, "the first picture is a keyframe");
  const keys = packets.filter((p) => p.kind === "video" && p.key).map((p) => p.pts);
  keys.slice(1).forEach((time, at) => {
    assert.ok(time - (keys[at] as number) < 3500, "keyframes about every two seconds");
  });
  const audio = packets.filter((p) => p.kind === "audio").map((p) => p.pts);
  audio.slice(1).forEach((time, at) => {
    assert.ok(time - (audio[at] as number) <= 22, "audio without a gap");
  });
}

test("one stream reaches nginx-rtmp and ffmpeg at once, complete and in order", async () => {
  const { page, name } = await goLive();
  const ffmpeg = await startFfmpegReceiver();
  const ids = [await push(name, nginx.url), await push(name, ffmpeg.url)];
  const recording = await nginx.recording(`rtmp_${name}`);
  const packets = await untilSeconds(recording, 6);
  for (const id of ids) {
    const ended = await server.rest("/push/terminate", { mediaSessionId: id });
    assert.equal(ended.status, 200, server.output());
  }
  await ffmpeg.done;
  for (const file of [recording, ffmpeg.file]) {
    const streams = await streamsOf(file);
    const video = streams.find((s) => s.codec_type === "video");
    const audio = streams.find((s) => s.codec_type === "audio");
    assert.equal(video?.codec_name, "h264");
    assert.equal(`${audio?.codec_name} ${audio?.profile} ${audio?.sample_rate}`, "aac LC 48000");
    assert.equal(await decodeErrors(file), "");
  }
  judge(packets);
  judge(await packetsOf(ffmpeg.file));
  await ffmpeg.stop();
  await page.close();
});

test("a destination that refuses does not disturb the other, and is reported", async () => {
  const { page, name } = await goLive();
  await push(name, nginx.url);
  const refused = await server.rest("/push/startup", {
    streamName: name,
    rtmpUrl: "rtmp://127.0.0.1:9/live",
  });
  assert.equal(refused.status, 200);
  const recording = await nginx.recording(`rtmp_${name}`);
  judge(await untilSeconds(recording, 4));
  await until("the refusal in the log", async () =>
    server.output().includes("connectRefused") ? true : undefined,
  );
  await page.close();
  await server.restUntil("/push/find_all", {}, (status) => status === 404);
});

test("a browser that changes its resolution gets a fresh decoder configuration and metadata", async () => {
  const { page, name } = await goLive();
  await push(name, String(server.receiver));
  const flv = record(`${server.httpUrl}/preview/live/rtmp_${name}.flv`);
  const configurations = (wanted: number) =>
    until(`decoder configuration ${wanted}`, async () =>
      headersOf(flv.bytes()).configs >= wanted ? true : undefined,
    );
  await configurations(1);
  const sizes = new Set<string>();
  const pictureSizes = (wanted: number) =>
    until(`picture size ${wanted}`, async () => {
      const { body } = await server.rest("/stream/find", { name });
      const [stream] = body as [{ width: number; height: number }];
      if (stream.width > 0) sizes.add(`${stream.width}x${stream.height}`);
      return sizes.size >= wanted ? true : undefined;
    });
  await pictureSizes(1);
  await page.evaluate(HALVE);
  await pictureSizes(2);
  await configurations(2);
  const { configs, metadata } = headersOf(flv.bytes());
  assert.ok(metadata >= configs, `${metadata} metadata messages, ${configs} configurations`);
  await page.close();
});

/** Reads an HTTP-FLV stream until it ends; asks again while it is not there. */
function record(url: string): { bytes(): Buffer } {
  const chunks: Uint8Array[] = [];
  void (async () => {
    const answer = await until("the stream at the receiver", async () => {
      const response = await fetch(url);
      return response.ok && response.body !== null ? response.body : undefined;
    });
    for await (const chunk of answer) chunks.push(chunk);
  })().catch(() => undefined);
  return { bytes: () => Buffer.concat(chunks) };
}

/** AVC sequence headers and onMetaData messages of an FLV file (FLV 10.1, annex E). */
function headersOf(bytes: Buffer): { configs: number; metadata: number } {
  let configs = 0;
  let metadata = 0;
  for (let at = 13; at + 16 < bytes.length; ) {
    const type = bytes[at];
    const size = bytes.readUIntBE(at + 1, 3);
    if (type === 9 && bytes[at + 12] === 0) configs += 1;
    if (type === 18) metadata += 1;
    at += 11 + size + 4;
  }
  return { configs, metadata };
}
