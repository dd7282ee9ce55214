import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeDone, RecordReader } from "../codec/records.ts";
import {
  decodeClipFailure,
  decodeClipPart,
  decodeClipRequest,
  decodeFrames,
  decodePacket,
  encodeClip,
  encodeClipFailure,
  encodeClipRequest,
  encodeFrames,
  encodePacket,
} from "./codec-wire.ts";

const body = fc.uint8Array({ maxLength: 40 });
const frames = fc.array(fc.record({ slot: fc.nat(2 ** 40), body }), { maxLength: 5 });

test("records come out the same however the pipe cuts them", () => {
  fc.assert(
    fc.property(
      frames,
      fc.nat(0xffff_ffff),
      fc.array(fc.nat(60), { maxLength: 9 }),
      (list, id, cuts) => {
        const sent = [encodeFrames(id, list), encodeDone(7, 123.5), encodeFrames(1, list)];
        let rest = Buffer.concat(sent);
        const reader = new RecordReader();
        const got: Buffer[] = [];
        for (const cut of [...cuts, rest.length]) {
          for (const record of reader.push(rest.subarray(0, cut))) got.push(record.payload);
          rest = rest.subarray(cut);
        }
        assert.deepEqual(
          got,
          sent.map((bytes) => bytes.subarray(9)),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("every record says what was put into it", () => {
  fc.assert(
    fc.property(frames, fc.nat(2 ** 45), fc.string(), (list, pts, text) => {
      const plain = decodeFrames(encodeFrames(3, list).subarray(9));
      assert.deepEqual(
        plain.map(({ slot, body }) => ({ slot, body: new Uint8Array(body) })),
        list.map(({ slot, body }) => ({ slot, body: new Uint8Array(body) })),
      );
      const payload = Buffer.from(text);
      const packet = { codec: "pcmu", pts, duration: 20_000, payload } as const;
      assert.deepEqual(decodePacket(encodePacket(1, packet).subarray(9)), packet);
      const request = {
        path: payload.toString(),
        options: {
          codec: "pcmu",
          channels: 2,
          bitrate: 128_000,
          grid: { rate: 44_100, samples: 1024 },
        },
      } as const;
      assert.deepEqual(decodeClipRequest(encodeClipRequest(1, request).subarray(9)), request);
      const clip = { frames: list.map((f) => Buffer.from(f.body)), loop: [payload] };
      const parts = encodeClip(1, clip).map((bytes) => decodeClipPart(bytes.subarray(9)));
      assert.deepEqual(
        parts.filter((part) => !part.loop).flatMap((part) => part.bodies),
        clip.frames,
      );
      assert.deepEqual(parts.at(-1), { loop: true, last: true, bodies: clip.loop });
      const failure = { code: "x", message: request.path };
      assert.deepEqual(
        decodeClipFailure(encodeClipFailure(1, "x", failure.message).subarray(9)),
        failure,
      );
    }),
    { numRuns: 200 },
  );
});

test("a length that cannot be true is refused and not waited for", () => {
  assert.throws(
    () => [...new RecordReader().push(Buffer.of(0xff, 0xff, 0xff, 0xff, 1))],
    RangeError,
  );
});
