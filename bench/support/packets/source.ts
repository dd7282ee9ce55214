/** The datagrams of one publisher in simulated time, each in memory of its own, as the library gives them. */
import { packRecording } from "../../../test/support/lab/packetizer.ts";
import { HD, readRecording, SOUND_US } from "../../../test/support/lab/recording.ts";
import { writeHeader } from "../../../test/support/lab/rtp-datagram.ts";
import { PAYLOAD_TYPES } from "../../../test/support/lab/rtp-sender.ts";
import { RtpTrack } from "../../../test/support/lab/rtp-track.ts";

const PICTURE_US = 1_000_000 / HD.fps;
const TRANSPORT_EXTENSION = 3;
const recording = packRecording(
  readRecording({ ...HD, channels: 2, sound: "concert" }),
  "aggregated",
);
const pictures = recording.pictures.map(({ sets, slices }) => [...sets, ...slices]);
const sounds = recording.sounds.map((sound) => [sound]);

function track(ssrc: number, payloadType: number, clockRate: number): RtpTrack {
  return new RtpTrack({
    ...{ ssrc, payloadType, clockRate, transportExtension: TRANSPORT_EXTENSION },
    ...{ rtxPayloadType: undefined, rtxSsrc: 0, ppm: 0, reports: undefined },
    ...{ firstSequence: 1, firstTimestamp: 1 },
  });
}

/** One kind of media: its units follow each other at a distance of `period` microseconds. */
interface Lane {
  readonly track: RtpTrack;
  readonly units: readonly (readonly Buffer[])[];
  readonly period: number;
  sent: number;
}

export class PacketSource {
  readonly #lanes: readonly Lane[];
  readonly #phase: number;
  #transport = 0;

  /** Everything is later by `phase` microseconds. */
  constructor(phase: number) {
    this.#phase = phase;
    const { audio, video } = PAYLOAD_TYPES;
    this.#lanes = [
      { track: track(1, audio, 48_000), units: sounds, period: SOUND_US, sent: 0 },
      { track: track(2, video, 90_000), units: pictures, period: PICTURE_US, sent: 0 },
    ];
  }

  /** What is sent up to `now` and was not given yet. */
  until(now: number): Buffer[] {
    return this.#lanes.flatMap((lane) => this.#due(lane, now - this.#phase));
  }

  #due(lane: Lane, now: number): Buffer[] {
    const datagrams: Buffer[] = [];
    for (; lane.sent * lane.period <= now; lane.sent += 1) {
      const unit = lane.units[lane.sent % lane.units.length] ?? [];
      unit.forEach((datagram, i) => {
        const at = lane.sent * lane.period;
        const packet = lane.track.packet(datagram, at, i === unit.length - 1);
        writeHeader(datagram, packet, this.#transport++);
        const own = Buffer.allocUnsafeSlow(datagram.length);
        own.set(datagram);
        datagrams.push(own);
      });
    }
    return datagrams;
  }
}
