/** The datagrams of one publisher in simulated time, each in memory of its own, as the library gives them. */
import { packetize } from "../../../test/support/lab/packetizer.ts";
import { HD, readRecording, SOUND_US } from "../../../test/support/lab/recording.ts";
import { PAYLOAD_TYPES } from "../../../test/support/lab/rtp-sender.ts";
import { RtpTrack, setTransportNumber } from "../../../test/support/lab/rtp-track.ts";

const PICTURE_US = 1_000_000 / HD.fps;
const TRANSPORT_EXTENSION = 3;
const recording = readRecording({ ...HD, channels: 2, sound: "concert" });
const pictures = recording.pictures.map((picture) => packetize(picture, "aggregated"));
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
      unit.forEach((payload, i) => {
        const at = lane.sent * lane.period;
        const { bytes } = lane.track.packet(payload, at, i === unit.length - 1);
        setTransportNumber(bytes, this.#transport++);
        const own = Buffer.allocUnsafeSlow(bytes.length);
        own.set(bytes);
        datagrams.push(own);
      });
    }
    return datagrams;
  }
}
