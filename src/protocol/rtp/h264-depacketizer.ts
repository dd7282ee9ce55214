/** RTP payload format for H.264 (RFC 6184): single NAL unit, STAP-A and FU-A to access units. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { NalType, type NalUnit, wholeNalUnit } from "../../codec/h264/nal-unit.ts";
import type { SeqNo } from "./sequence.ts";
import type { Ticks } from "./timestamp.ts";

/** What the depacketizer needs of an RTP packet; packets come in order. */
export interface H264Packet {
  readonly sequence: SeqNo;
  readonly timestamp: Ticks;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** The NAL units of one picture, in decoding order; views of the packets they came in. */
export interface AccessUnit {
  readonly codec: "h264";
  readonly ticks: Ticks;
  readonly nalUnits: readonly NalUnit[];
  /** Holds an IDR slice. */
  readonly key: boolean;
  /** Bytes of all NAL units. */
  readonly size: number;
  /** Packets before this unit were lost, with whatever pictures they held. */
  readonly afterLoss: boolean;
}

/** Made once: most packets complete nothing. */
const NOTHING: readonly never[] = [];
const isIdr = ({ type }: NalUnit): boolean => type === NalType.idr;
const STAP_A = 24;
const FU_A = 28;
const MAX_UNIT_BYTES = 8 << 20;
const MAX_NAL_UNITS = 1024;
const MAX_FRAGMENTS = 16_384;

/** Puts access units together; what is damaged is dropped whole. */
export class H264Depacketizer {
  #nalUnits: NalUnit[] = [];
  #size = 0;
  #ticks: Ticks | undefined;
  #fragments: Uint8Array[] | undefined;
  #fragmentBytes = 0;
  #damaged = false;
  #afterLoss = false;

  /** Packets were lost before the next one: the unit in progress and the beginning of the next are doubtful. */
  gap(): void {
    this.#spoil();
    // Whatever the next packet's timestamp, packets of its unit may be among the lost ones.
    this.#ticks = undefined;
  }

  /** Returns the units that this packet completed. Throws `ProtocolError` `rtp.h264.*`; go on with the next packet. */
  push(packet: H264Packet): readonly AccessUnit[] {
    if (packet.payload.length === 0) return NOTHING;
    const begins = this.#ticks !== undefined && packet.timestamp !== this.#ticks;
    const before = begins ? this.#finish() : undefined;
    this.#ticks = packet.timestamp;
    try {
      this.#take(packet.payload);
    } catch (error) {
      this.#spoil();
      if (packet.marker) this.#finish();
      throw error;
    }
    const whole = packet.marker ? this.#finish() : undefined;
    if (before === undefined) return whole === undefined ? NOTHING : [whole];
    return whole === undefined ? [before] : [before, whole];
  }

  #finish(): AccessUnit | undefined {
    if (this.#fragments !== undefined) this.#damaged = this.#afterLoss = true;
    const ticks = this.#ticks;
    const nalUnits = this.#nalUnits;
    const size = this.#size;
    const afterLoss = this.#afterLoss;
    const complete = !this.#damaged && nalUnits.length > 0 && ticks !== undefined;
    this.#drop();
    this.#damaged = false;
    this.#ticks = undefined;
    if (!complete) return undefined;
    this.#afterLoss = false;
    return { codec: "h264", ticks, nalUnits, key: nalUnits.some(isIdr), size, afterLoss };
  }

  #spoil(): void {
    this.#drop();
    this.#damaged = true;
    this.#afterLoss = true;
  }

  #drop(): void {
    this.#nalUnits = [];
    this.#size = 0;
    this.#fragments = undefined;
  }

  #take(payload: Uint8Array): void {
    const type = (payload[0] as number) & 0x1f;
    if (type !== FU_A && this.#fragments !== undefined) {
      throw new ProtocolError("rtp.h264.fragment", "a fragmented NAL unit has no end");
    }
    if (type === FU_A) this.#takeFragment(payload);
    else if (type === STAP_A) this.#takeAggregate(payload);
    else this.#add(wholeNalUnit(payload));
  }

  #takeAggregate(payload: Uint8Array): void {
    for (let at = 1; at < payload.length; ) {
      const size = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
      const end = at + 2 + size;
      if (size === 0 || end > payload.length) {
        throw new ProtocolError("rtp.h264.aggregate", `a NAL unit of ${size} bytes does not fit`);
      }
      this.#add(wholeNalUnit(payload.subarray(at + 2, end)));
      at = end;
    }
  }

  #takeFragment(payload: Uint8Array): void {
    const header = payload[1];
    if (header === undefined || payload.length < 3) {
      throw new ProtocolError("rtp.h264.fragment", "an empty fragment");
    }
    const start = (header & 0x80) !== 0;
    if (start !== (this.#fragments === undefined)) {
      if (this.#damaged) return;
      throw new ProtocolError("rtp.h264.fragment", "a fragment out of place");
    }
    if (start) {
      this.#fragments = [Uint8Array.of(((payload[0] as number) & 0xe0) | (header & 0x1f))];
      this.#fragmentBytes = 1;
    }
    const fragments = this.#fragments as Uint8Array[];
    fragments.push(payload.subarray(2));
    this.#fragmentBytes += payload.length - 2;
    if (fragments.length > MAX_FRAGMENTS || this.#fragmentBytes > MAX_UNIT_BYTES) {
      throw new ProtocolError("rtp.h264.size", "a NAL unit is too large");
    }
    if ((header & 0x40) === 0) return;
    this.#fragments = undefined;
    this.#add({ type: header & 0x1f, parts: fragments, size: this.#fragmentBytes });
  }

  #add(unit: NalUnit): void {
    if (unit.type < 1 || unit.type > 23) {
      throw new ProtocolError("rtp.h264.type", `a unit of type ${unit.type} is not supported`);
    }
    this.#size += unit.size;
    if (this.#size > MAX_UNIT_BYTES || this.#nalUnits.length >= MAX_NAL_UNITS) {
      throw new ProtocolError("rtp.h264.size", "an access unit is too large");
    }
    this.#nalUnits.push(unit);
  }
}
