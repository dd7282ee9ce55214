import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { micros, millis } from "../../base/time.ts";
import { flvHeader, flvTag } from "./file.ts";
import { type FileTag, FlvReader } from "./file-reader.ts";
import type { FlvTag } from "./tag.ts";

const tagOf = (kind: FileTag["kind"], body: Uint8Array): FlvTag =>
  kind === "script"
    ? { kind, pts: micros(0), body }
    : kind === "audio"
      ? { kind, role: "frame", pts: micros(0), body }
      : { kind, role: "key", pts: micros(0), body };

test("what is written is read again, however it is cut into pieces", () => {
  const tag = fc.record({
    kind: fc.constantFrom("audio", "video", "script"),
    timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
    body: fc.uint8Array({ maxLength: 40 }),
  });
  const cases = fc.tuple(fc.array(tag, { maxLength: 6 }), fc.array(fc.nat(30), { maxLength: 20 }));
  always(cases, ([tags, sizes]) => {
    const written = tags.flatMap(({ kind, timestamp, body }) =>
      flvTag(tagOf(kind, body), millis(timestamp)),
    );
    const bytes = new Uint8Array(Buffer.concat([flvHeader(), ...written]));
    const reader = new FlvReader();
    const read: FileTag[] = [];
    let at = 0;
    for (const size of [...sizes, bytes.byteLength]) {
      read.push(...reader.push(bytes.subarray(at, at + size)));
      at = Math.min(bytes.byteLength, at + size);
    }
    assert.deepEqual(
      read,
      tags.map((tag) => ({ ...tag })),
    );
  });
});

test("what is no FLV is refused, and any other bytes are tags or nothing", () => {
  breaksRule("flv.file", () => [...new FlvReader().push(new Uint8Array(13))]);
  always(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
    const reader = new FlvReader();
    const tags = [...reader.push(flvHeader())];
    for (const chunk of chunks) unlessRuleBroken(() => void tags.push(...reader.push(chunk)));
    assert.ok(tags.every(({ body }) => body.byteLength <= 360));
  });
});
