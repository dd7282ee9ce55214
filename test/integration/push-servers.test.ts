/** A push to RTMP servers of three other makes at once. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeErrors, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { startMediaServer } from "../support/media-server/media-server.ts";
import { PushLab } from "../support/push-lab.ts";
import { startFfmpegReceiver, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { until } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";

let lab: PushLab;
let folder: string;
before(async () => {
  lab = new PushLab();
  folder = await mkdtemp(join(tmpdir(), "servers-"));
});
after(async () => {
  await lab.close();
  await rm(folder, { recursive: true });
});

const SECONDS = 2;

const holdsEnough = async (file: string): Promise<true | undefined> => {
  const packets = await packetsOf(file).catch(() => []);
  const [first, last] = [packets[0]?.pts ?? 0, packets.at(-1)?.pts ?? 0];
  return last - first >= SECONDS * 1000 ? true : undefined;
};

/** What node-media-server relays, until it ends. */
function download(url: string): { bytes(): Buffer } {
  const chunks: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    const body = await until("the stream at node-media-server", async () => {
      const response = await fetch(url);
      return response.ok ? (response.body ?? undefined) : undefined;
    });
    for await (const chunk of body) chunks.push(chunk);
  };
  void read().catch(() => undefined);
  return { bytes: () => Buffer.concat(chunks) };
}

async function judge(file: string): Promise<void> {
  const media = (await streamsOf(file)).filter(({ codec_type }) => codec_type !== "data");
  assert.deepEqual(media.map(({ codec_name }) => codec_name).sort(), ["aac", "h264"]);
  assert.equal(await decodeErrors(file), "");
  const packets = await packetsOf(file);
  for (const kind of ["video", "audio"] as const) {
    const times = packets.filter((packet) => packet.kind === kind).map(({ pts }) => pts);
    const longest = kind === "video" ? 41 : 22;
    assert.ok(times.length > 40);
    times.slice(1).forEach((time, i) => {
      const step = time - (times[i] as number);
      assert.ok(step > 0 && step <= longest, `${kind}: ${step} ms`);
    });
  }
}

test("nginx-rtmp, ffmpeg and node-media-server each take a push whole", async () => {
  const ports = { rtmpPort: await freePort(), httpPort: await freePort() };
  const [nginx, ffmpeg, media] = await Promise.all([
    startNginxRtmp(),
    startFfmpegReceiver(),
    startMediaServer(ports),
  ]);
  const name = randomBytes(4).toString("hex");
  const urls = [nginx.url, ffmpeg.url, `rtmp://127.0.0.1:${ports.rtmpPort}/live`];
  const pushes = await Promise.all(urls.map((url) => lab.push(url, { name })));
  await Promise.all(pushes.map((push) => push.untilState("live")));
  const relayed = download(`http://127.0.0.1:${ports.httpPort}/live/${name}.flv`);
  const files = [await nginx.recording(name), ffmpeg.file, join(folder, "media-server.flv")];
  await Promise.all(
    files.map((file, i) =>
      until(`${SECONDS} s in ${file}`, async () => {
        if (i === 2) await writeFile(file, relayed.bytes());
        return holdsEnough(file);
      }),
    ),
  );
  await Promise.all(pushes.map((push) => push.stop()));
  await ffmpeg.done;
  for (const file of files) await judge(file);
  for (const { states } of pushes) assert.equal(states.at(-1)?.kind, "ended");
  await Promise.all([nginx.stop(), ffmpeg.stop(), media.close()]);
});
