/** Negotiated tracks for tests. */
import { clockRate } from "../../src/base/time.ts";
import type { NegotiatedTrack } from "../../src/protocol/sdp/negotiated.ts";

const NONE = {
  mid: undefined,
  rid: undefined,
  repairedRid: undefined,
  transportSequence: undefined,
  absSendTime: undefined,
};

export const videoTrack = (overrides: Partial<NegotiatedTrack> = {}): NegotiatedTrack => ({
  kind: "video",
  mid: "1",
  codec: "h264",
  payloadType: 96,
  clockRate: clockRate(90_000),
  channels: 1,
  rtxPayloadType: 97,
  feedback: { nack: true, pli: true, fir: true, remb: true, transportCc: true },
  ssrcs: [],
  extensions: NONE,
  rids: [],
  ...overrides,
});

export const audioTrack = (overrides: Partial<NegotiatedTrack> = {}): NegotiatedTrack =>
  videoTrack({
    kind: "audio",
    mid: "0",
    codec: "opus",
    payloadType: 111,
    clockRate: clockRate(48_000),
    channels: 2,
    rtxPayloadType: undefined,
    ...overrides,
  });
