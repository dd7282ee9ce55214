import assert from "node:assert/strict";
import { after, test } from "node:test";
import { until } from "../../../test/support/server.ts";
import { h264Tags } from "../../../test/support/video-lab.ts";
import type { VideoTag } from "../../protocol/flv/tag.ts";
import { compositionTime } from "../../protocol/flv/video-tag.ts";
import { createVideoTranscoder } from "./video-transcoder.ts";

const transcoder = createVideoTranscoder({ silenceMs: 20_000 });
after(() => transcoder.close());

test("B-frames are shown in their places: none is late, none is shown twice", async () => {
  const tags = h264Tags({ size: "160x120", fps: 25, seconds: 3, bFrames: 2 });
  assert.ok(new Set(tags.map(({ body }) => compositionTime(body))).size > 1, "there are B-frames");
  const out: VideoTag[] = [];
  const plan = { width: 0, height: 0, bitrate: 300, fps: 25, gop: 50 };
  let ready = false;
  const transcode = transcoder.open(
    { codec: "h264", plan, before: undefined },
    {
      onReady: () => {
        ready = true;
      },
      onTag: (tag) => void out.push(tag),
      onLost: () => assert.fail("the decoder lost its way"),
      onFailed: ({ message }) => assert.fail(message),
    },
  );
  await until("the encoder", async () => ready || undefined);
  // One that is behind repeats pictures, so that it gets the next only when it is not.
  for (const [at, tag] of tags.entries()) {
    transcode.write(tag, false);
    if (at % 5 === 4) await until("the encoder", async () => transcode.behind === 0 || undefined);
  }
  await until("its pictures", async () => out.length > 70 || undefined);
  const { framesRepeated, framesDropped } = transcode.figures();
  assert.deepEqual([framesRepeated, framesDropped], [0, 0]);
  const steps = out.slice(2).map(({ pts }, at) => pts - (out[at + 1]?.pts ?? 0));
  assert.ok(steps.every((step) => step === 40_000));
  transcode.close();
});
