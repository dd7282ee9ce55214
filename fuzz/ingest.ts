/** RTP and RTCP of a publisher: datagrams changed, lost, repeated, out of order; times never go back. */
import assert from "node:assert/strict";
import { type Micros, micros } from "../src/base/time.ts";
import { Ingest } from "../src/media/ingest.ts";
import { parseRtcp } from "../src/protocol/rtcp/packet.ts";
import { senderReport } from "../src/protocol/rtcp/report.ts";
import { isRtcp } from "../src/protocol/rtp/packet.ts";
import { wireTicks } from "../src/protocol/rtp/timestamp.ts";
import { audioTrack, videoTrack } from "../test/support/simulated-publisher.ts";
import { type Chance, fuzz, mutate } from "./support/fuzz.ts";

const SPS = Buffer.from("6742c00dda0507ec0440000003004000000c83c50aa8", "hex");
const PPS = Buffer.from("68ce0fc8", "hex");
const CODECS = ["h264", "vp8", "vp9", "av1"] as const;
/** Beginnings of payloads that the depacketizers of the codecs understand. */
const HEADS = [
  ...["6588", "41aa", "7c8588", "7c0588", "7c4588", "7cc588"],
  ...["10303012009d012a4001f000", "1031", "00aa", "90e08005012030"],
  ...["0c824983420013f00ef600", "0886", "04aa", "0e18014000f00082", "ac8001000082"],
  ...["180a0b000000043cffbcdaf90040", "5030aa", "d0bb", "90cc", "2802", "0800"],
];

class Source {
  readonly #chance: Chance;
  #sequence: number;
  #ticks: number;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#sequence = chance.pick([0, 0xfff0, 0x8000]);
    this.#ticks = chance.pick([0, 0xffff_0000, 0x8000_0000]);
  }

  next(): Uint8Array {
    const chance = this.#chance;
    const video = chance.below(3) > 0;
    this.#sequence += chance.oneIn(20) ? chance.below(100) : 1;
    this.#ticks += chance.oneIn(100) ? chance.below(2 ** 31) : chance.below(3) * 1500;
    const head = Buffer.alloc(12);
    const type = chance.oneIn(10) ? 103 : video ? 102 : 111;
    head.writeUInt8(0x80, 0);
    head.writeUInt8(type | (chance.oneIn(2) ? 0x80 : 0), 1);
    head.writeUInt16BE(this.#sequence & 0xffff, 2);
    head.writeUInt32BE(this.#ticks >>> 0, 4);
    head.writeUInt32BE((video ? 1 : 2) + (chance.oneIn(200) ? 10 : 0), 8);
    return Buffer.concat([head, video ? this.#picture() : Buffer.from("fc0102", "hex")]);
  }

  report(): Uint8Array {
    return senderReport({
      ssrc: 1 + this.#chance.below(2),
      ntp: {
        seconds: 0xe000_0000 + this.#chance.below(100),
        fraction: this.#chance.below(2 ** 32),
      },
      timestamp: wireTicks(this.#chance.oneIn(10) ? 0xffff_ffff : this.#ticks),
      packets: 1,
      octets: 1,
      blocks: [],
    });
  }

  #picture(): Uint8Array {
    if (this.#chance.below(4) > 0) return Buffer.from(this.#chance.pick(HEADS), "hex");
    const aggregate = [Buffer.of(0x78, 0, SPS.length), SPS, Buffer.of(0, PPS.length), PPS];
    return Buffer.concat(this.#chance.oneIn(2) ? aggregate : [SPS]);
  }
}

fuzz((chance) => {
  const last = { audio: -Infinity, video: -Infinity };
  let now: Micros = micros(0);
  const ingest = new Ingest(
    { maxReorderWait: micros(400_000), keyframeRequestGap: micros(500_000), maxBitrate: 4_000_000 },
    [videoTrack({ codec: chance.pick(CODECS) }), audioTrack()],
    {
      onFrame: (frame) => {
        assert.ok(frame.pts >= last[frame.kind], `${frame.kind} goes back`);
        assert.ok(Number.isSafeInteger(frame.pts));
        last[frame.kind] = frame.pts;
      },
      onRtcp: (bytes) => void parseRtcp(bytes),
      onPacket: () => undefined,
    },
    { now, ourSsrc: 99 },
  );
  const source = new Source(chance);
  const kept: Uint8Array[] = [];
  for (let i = 0; i < 300; i += 1) {
    now = micros(now + chance.below(chance.oneIn(50) ? 2_000_000 : 20_000));
    const datagram = chance.oneIn(15) ? source.report() : source.next();
    const sent = chance.oneIn(8) ? mutate(chance, datagram) : datagram;
    kept[i % 20] = sent;
    const again = chance.oneIn(10) ? [chance.pick(kept)] : [];
    for (const bytes of [sent, ...again]) {
      if (isRtcp(bytes)) ingest.onRtcp(bytes, now);
      else if (!chance.oneIn(20)) ingest.onRtp(bytes, now);
    }
    if (chance.oneIn(3)) ingest.tick(now);
  }
  ingest.stats(now);
});
