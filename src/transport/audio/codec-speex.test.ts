import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { purity, RATE, speexPackets, tone } from "../../../test/support/audio-lab.ts";
import { speexFrames } from "../../codec/speex/frames.ts";
import { SpeexDecoder } from "./codec-speex.ts";

for (const perPacket of [1, 3]) {
  test(`a tone survives ${perPacket} frames a packet`, () => {
    const packets = speexPackets(tone(440, RATE * 2, 1), perPacket);
    const decoder = new SpeexDecoder(1, RATE);
    const pcm = packets.map((packet) => decoder.decode(packet) ?? new Int16Array(0));
    decoder.close();
    const samples = Int16Array.from(pcm.flatMap((part) => [...part]));
    const frames = packets.reduce((sum, packet) => sum + speexFrames(packet).length, 0);
    const whole = packets.slice(0, -1);
    assert.ok(whole.every((packet) => speexFrames(packet).length === perPacket));
    assert.ok(Math.abs(samples.length - frames * 960) < 200, `${samples.length} samples`);
    const middle = samples.subarray(RATE / 2, RATE);
    assert.ok(purity(middle, 440) > 0.9, `purity ${purity(middle, 440)}`);
  });
}

test("a packet that says nothing is transmitted is one frame of silence", () => {
  const decoder = new SpeexDecoder(2, RATE);
  const silence = Uint8Array.of(0x04, 0x3f);
  assert.equal(speexFrames(silence).length, 1);
  assert.ok((decoder.decode(silence) ?? []).every((sample) => Math.abs(sample) < 100));
  decoder.close();
});

test("no bytes whatever break the decoder", () => {
  const decoder = new SpeexDecoder(1, RATE);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const pcm = decoder.decode(bytes);
      assert.ok(pcm === undefined || pcm.length <= 25 * 960 + 64);
    }),
    { interruptAfterTimeLimit: 3000 },
  );
  decoder.close();
});
