/** Packets of a codec whose frames end at a marker, to whole frames; what is damaged is dropped whole. */
import { ProtocolError } from "../../base/protocol-error.ts";
import type { SeqNo } from "./sequence.ts";
import type { Ticks } from "./timestamp.ts";

/** What is needed of an RTP packet; packets come in order. */
export interface CodedPacket {
  readonly sequence: SeqNo;
  readonly timestamp: Ticks;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** One frame in pieces, most of them views of the packets that they came in. */
export interface CodedUnit {
  readonly ticks: Ticks;
  readonly parts: readonly Uint8Array[];
  /** Decoding may start here. */
  readonly key: boolean;
  readonly size: number;
  /** Packets before this unit were lost, with whatever pictures they held. */
  readonly afterLoss: boolean;
}

/** What a payload format says of its packets. Throws `ProtocolError` `rtp.<codec>.*`. */
export interface CodedFormat {
  /** True when a packet begins a frame from which decoding may start. */
  startsKey(payload: Uint8Array): boolean;
  /** Takes what a packet holds of the frame in `unit`. */
  take(payload: Uint8Array, unit: UnitParts): void;
  /** The last packet of the frame was taken. */
  finish(unit: UnitParts): void;
  isKey(parts: readonly Uint8Array[]): boolean;
}

const MAX_UNIT_BYTES = 8 << 20;
const MAX_PARTS = 16_384;

/** The frame in progress. */
export class UnitParts {
  readonly parts: Uint8Array[] = [];
  /** What the last packets began and did not end, where a format divides a frame further (AV1). */
  readonly pending: Uint8Array[] = [];
  size = 0;

  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.parts.push(part);
    this.size += part.length;
    if (this.size > MAX_UNIT_BYTES || this.parts.length > MAX_PARTS) {
      throw new ProtocolError("rtp.coded.size", "a frame is too large");
    }
  }
}

export class CodedDepacketizer {
  readonly #format: CodedFormat;
  #unit = new UnitParts();
  #ticks: Ticks | undefined;
  #damaged = false;
  #afterLoss = false;

  constructor(format: CodedFormat) {
    this.#format = format;
  }

  /** Packets were lost before the next one: only one that begins a keyframe is beyond doubt. */
  gap(): void {
    this.#spoil();
    // Whatever the next packet's timestamp, packets of its unit may be among the lost ones.
    this.#ticks = undefined;
  }

  /** Returns the units that this packet completed. Throws `ProtocolError`; go on with the next packet. */
  push(packet: CodedPacket): CodedUnit[] {
    if (packet.payload.length === 0) return [];
    const done: CodedUnit[] = [];
    try {
      if (this.#ticks !== undefined && packet.timestamp !== this.#ticks) this.#finish(done);
      this.#ticks = packet.timestamp;
      this.#take(packet.payload);
      if (packet.marker) this.#finish(done);
    } catch (error) {
      this.#spoil();
      if (packet.marker) this.#reset();
      throw error;
    }
    return done;
  }

  #spoil(): void {
    this.#unit = new UnitParts();
    this.#damaged = true;
    this.#afterLoss = true;
  }

  #take(payload: Uint8Array): void {
    if (this.#damaged) {
      if (!this.#format.startsKey(payload)) return;
      this.#reset(this.#ticks);
    }
    this.#format.take(payload, this.#unit);
  }

  #finish(done: CodedUnit[]): void {
    const [unit, ticks, damaged] = [this.#unit, this.#ticks, this.#damaged];
    this.#reset();
    if (damaged || ticks === undefined) return;
    this.#format.finish(unit);
    if (unit.parts.length === 0) return;
    const { parts, size } = unit;
    const key = this.#format.isKey(parts);
    done.push({ ticks, parts, key, size, afterLoss: this.#afterLoss });
    this.#afterLoss = false;
  }

  #reset(ticks?: Ticks): void {
    this.#unit = new UnitParts();
    this.#ticks = ticks;
    this.#damaged = false;
  }
}
