import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros, millis } from "../base/time.ts";
import type { FlvTag } from "../protocol/flv/tag.ts";
import { OutputBuffer, type TimedTag } from "./output-buffer.ts";

type Kind = "key" | "delta" | "audio" | "videoConfig" | "audioConfig";

function entry(kind: Kind, ms: number, bytes: number): TimedTag {
  const body = new Uint8Array(bytes);
  const pts = micros(ms * 1000);
  const tags: Record<Kind, FlvTag> = {
    key: { kind: "video", role: "key", pts, body },
    delta: { kind: "video", role: "delta", pts, body },
    videoConfig: { kind: "video", role: "config", pts, body },
    audio: { kind: "audio", role: "frame", pts, body },
    audioConfig: { kind: "audio", role: "config", pts, body },
  };
  return { tag: tags[kind], timestamp: millis(ms) };
}

const kinds = (buffer: OutputBuffer): string[] => {
  const seen: string[] = [];
  buffer.drain(({ tag }) => {
    seen.push(`${tag.kind}:${tag.kind === "script" ? "" : tag.role}`);
    return true;
  });
  return seen;
};

test("over budget, the older group goes whole and the newer one stays", () => {
  const buffer = new OutputBuffer({ bytes: 1000, duration: millis(60_000) });
  buffer.push(entry("key", 0, 300));
  buffer.push(entry("delta", 33, 300));
  buffer.push(entry("audio", 40, 10));
  buffer.push(entry("key", 66, 300));
  const loss = buffer.push(entry("delta", 99, 300));
  assert.deepEqual(loss, { frames: 2, gops: 1, needsKeyframe: false });
  assert.deepEqual(kinds(buffer), ["audio:frame", "video:key", "video:delta"]);
});

test("with no newer group to keep, every picture goes and a keyframe is needed", () => {
  const buffer = new OutputBuffer({ bytes: 1000, duration: millis(60_000) });
  buffer.push(entry("delta", 0, 500));
  buffer.push(entry("audio", 1, 10));
  const loss = buffer.push(entry("delta", 33, 500));
  assert.deepEqual(loss, { frames: 2, gops: 1, needsKeyframe: true });
  assert.deepEqual(kinds(buffer), ["audio:frame"]);
});

test("a tag that the link took but answered with full is not sent twice", () => {
  const buffer = new OutputBuffer({ bytes: 1000, duration: millis(1000) });
  for (const ms of [0, 1, 2]) buffer.push(entry("audio", ms, 1));
  let taken = 0;
  buffer.drain(() => {
    taken += 1;
    return false;
  });
  assert.equal(taken, 1);
  assert.equal(buffer.length, 2);
  assert.equal(buffer.bytes, 2);
});

test("never over budget, never a delta without its predecessors, configurations and order kept", () => {
  const kind = fc.constantFrom<Kind>("key", "delta", "delta", "delta", "audio", "videoConfig");
  const item = fc.record({ kind, bytes: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 120 }), (items) => {
      const budget = { bytes: 2000, duration: millis(700) };
      const buffer = new OutputBuffer(budget);
      let gateOpen = true;
      let configs = 0;
      items.forEach(({ kind: k, bytes }, at) => {
        if (k === "key") gateOpen = true;
        if (k === "delta" && !gateOpen) return;
        if (k === "videoConfig") configs += 1;
        const loss = buffer.push(entry(k, at * 20, k === "videoConfig" ? 0 : bytes));
        if (loss.needsKeyframe) gateOpen = false;
        assert.ok(buffer.bytes <= budget.bytes);
      });
      let last = -1;
      let configsOut = 0;
      let index = -1;
      buffer.drain(({ tag, timestamp }) => {
        assert.ok(timestamp >= last);
        last = timestamp;
        if (tag.kind !== "video") return true;
        if (tag.role === "config") configsOut += 1;
        else if (tag.role === "key") index = timestamp;
        else if (index >= 0) assert.ok(timestamp > index);
        return true;
      });
      assert.equal(configsOut, configs);
    }),
    { numRuns: 300 },
  );
});
