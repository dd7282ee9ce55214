import assert from "node:assert/strict";
import { test } from "node:test";
import { BROWSER } from "../../test/support/lab/publisher.ts";
import { PAYLOAD_TYPES } from "../../test/support/lab/rtp-sender.ts";
import { senderOffer } from "../../test/support/lab/sender-offer.ts";
import { rtpDatagram } from "../../test/support/simulated-publisher.ts";
import { ProtocolError } from "../base/protocol-error.ts";
import { micros, millis } from "../base/time.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { LocalTransport } from "../protocol/sdp/transport.ts";
import type { PeerHandlers } from "../transport/webrtc/peer.ts";
import { hubOptions } from "./hub-options.ts";
import { IngestSession } from "./ingest-session.ts";

const LOCAL: LocalTransport = {
  iceUfrag: "abcd",
  icePwd: "abcdefghijklmnopqrstuvwx",
  fingerprint: `sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`,
  setup: "active",
  candidates: [],
};
const INGEST = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  maxReorderWaitMs: 1000,
  keyframeRequestGapMs: 1000,
  startBitrateKbps: 0,
  maxBitrateKbps: 10_000,
};
const NOW = micros(1_000_000);

/** A session without a network; `onPacket` is called for each packet of the publisher, in order. */
function publish(onPacket: (sequence: number) => void): (sequence: number) => void {
  let library: PeerHandlers | undefined;
  const session = new IngestSession(
    {
      session: "test" as MediaSessionId,
      offer: senderOffer(BROWSER, [
        `a=ice-ufrag:${LOCAL.iceUfrag}`,
        `a=ice-pwd:${LOCAL.icePwd}`,
        `a=fingerprint:${LOCAL.fingerprint}`,
      ]),
      bitrate: { start: 0, min: 0, max: 0 },
      ingest: INGEST,
      hub: hubOptions(5000),
    },
    {
      clock: { now: () => NOW, wallNow: () => millis(0) },
      peers: {
        open: (_remote, handlers) => {
          library = handlers;
          return { local: LOCAL, send: () => true, close: () => undefined };
        },
        close: () => undefined,
      },
      random32: () => 1,
      openAudio: () => assert.fail("nobody listens to the sound"),
      onState: () => undefined,
      onVideoSize: () => undefined,
      onBug: (error) => assert.fail(error as Error),
    },
  );
  session.listen({ onPacket: (_track, { sequence }) => onPacket(sequence) });
  const payload = Uint8Array.of(0xfc, 1, 2);
  return (sequence) => {
    const header = { payloadType: PAYLOAD_TYPES.audio, sequence, timestamp: sequence, ssrc: 1 };
    library?.onPacket(rtpDatagram(header, payload), NOW);
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
