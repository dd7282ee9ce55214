import assert from "node:assert/strict";
import { test } from "node:test";
import { PAYLOAD_TYPES } from "../../test/support/lab/rtp-sender.ts";
import { openOffline } from "../../test/support/offline-session.ts";
import { rtpDatagram } from "../../test/support/simulated-publisher.ts";
import { ProtocolError } from "../base/protocol-error.ts";
import { micros } from "../base/time.ts";

const NOW = micros(1_000_000);

/** `onPacket` is called for each packet of the publisher, in order. */
function publish(onPacket: (sequence: number) => void): (sequence: number) => void {
  const { session, library } = openOffline({
    now: () => NOW,
    onSent: () => undefined,
    openAudio: () => assert.fail("nobody listens to the sound"),
    onBug: (error) => assert.fail(error as Error),
  });
  session.listen({ onPacket: (_track, { sequence }) => onPacket(sequence) });
  const payload = Uint8Array.of(0xfc, 1, 2);
  return (sequence) => {
    const header = { payloadType: PAYLOAD_TYPES.audio, sequence, timestamp: sequence, ssrc: 1 };
    library.onPacket(rtpDatagram(header, payload), NOW);
  };
}

test("a broken rule that shows late costs its packet only, whether it came in its turn or was waited for", () => {
  const seen: number[] = [];
  const send = publish((sequence) => {
    seen.push(sequence);
    if (sequence % 2 === 0) throw new ProtocolError("test.rule", "broken");
  });
  for (const sequence of [1, 2, 3, 6, 5, 4, 7]) send(sequence);
  send(8);
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a defect of ours goes on to whoever gave the packet", () => {
  const send = publish(() => {
    throw new TypeError("a defect");
  });
  assert.throws(() => send(1), TypeError);
});
