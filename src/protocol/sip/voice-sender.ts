/** The sound that we send into a call: silence, and named events (RFC 4733). */
import { ByteWriter } from "../../base/bytes.ts";
import { type Micros, micros } from "../../base/time.ts";
import type { NegotiatedCodec } from "../sdp/negotiated.ts";

export interface VoiceFormat {
  readonly codec: NegotiatedCodec;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly events: { readonly payloadType: number; readonly clockRate: number } | undefined;
}

/** Random beginnings (RFC 3550, 5.1). */
export interface VoiceStart {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
}

const PACKET_MS = 20;
const PACKET = PACKET_MS * 1000;
/** Packets of one tone, of the silence behind it, and how often its end is said (RFC 4733, 2.5.1.4). */
const TONE_PACKETS = 8;
const PAUSE_PACKETS = 4;
const ENDS = 3;
/** More than anybody dials. */
const MOST_TONES = 256;
/** After a stall the line goes on; it does not catch up. */
const MOST_BEHIND = 5 * PACKET;
const VOLUME = 10;
const KEYS = "0123456789*#ABCD";
const MARKER = 0x80;

/** 20 ms of silence. Speex: both bands "no transmission"; Opus: a frame that decodes to silence. */
const SILENCE: Readonly<Partial<Record<NegotiatedCodec, Uint8Array>>> = {
  pcma: new Uint8Array(160).fill(0xd5),
  pcmu: new Uint8Array(160).fill(0xff),
  opus: Uint8Array.of(0xf8, 0xff, 0xfe),
  speex: Uint8Array.of(0x04, 0x3f),
};

interface Tone {
  readonly key: number;
  readonly timestamp: number;
  /** Packets sent of it. */
  packets: number;
}

/** A packet every 20 ms: other sides tell by them that we are there, and where. */
export class VoiceSender {
  readonly #format: VoiceFormat;
  readonly #ssrc: number;
  readonly #waiting: number[] = [];
  #sequence: number;
  #timestamp: number;
  #due: Micros;
  #tone: Tone | undefined;
  #pause = 0;
  #marker = true;

  constructor(format: VoiceFormat, start: VoiceStart, now: Micros) {
    this.#format = format;
    this.#ssrc = start.ssrc;
    this.#sequence = start.sequence & 0xffff;
    this.#timestamp = start.timestamp >>> 0;
    this.#due = now;
  }

  /** Sends tones one after the other; false when the other side does not take named events. */
  tones(text: string): boolean {
    if (this.#format.events === undefined) return false;
    for (const letter of text.toUpperCase()) {
      const key = KEYS.indexOf(letter);
      if (key >= 0 && this.#waiting.length < MOST_TONES) this.#waiting.push(key);
    }
    return true;
  }

  /** The packets that are due at `now`. */
  poll(now: Micros): Uint8Array[] {
    if (now - this.#due > MOST_BEHIND) this.#skipTo(now);
    const packets: Uint8Array[] = [];
    while (this.#due <= now) {
      packets.push(...this.#next());
      this.#timestamp = (this.#timestamp + (this.#format.clockRate * PACKET_MS) / 1000) >>> 0;
      this.#due = micros(this.#due + PACKET);
    }
    return packets;
  }

  /** The time that nobody got a packet for passes all the same. */
  #skipTo(now: Micros): void {
    const missed = Math.floor((now - this.#due) / PACKET);
    const ticks = (missed * this.#format.clockRate * PACKET_MS) / 1000;
    this.#timestamp = (this.#timestamp + ticks) >>> 0;
    this.#due = micros(this.#due + missed * PACKET);
  }

  #next(): Uint8Array[] {
    if (this.#tone === undefined && this.#pause > 0) this.#pause -= 1;
    else if (this.#tone === undefined) {
      const key = this.#waiting.shift();
      if (key !== undefined) this.#tone = { key, timestamp: this.#timestamp, packets: 0 };
    }
    return this.#tone === undefined ? this.#silence() : this.#event(this.#tone);
  }

  #silence(): Uint8Array[] {
    const body = SILENCE[this.#format.codec];
    if (body === undefined) return [];
    const marker = this.#marker ? MARKER : 0;
    this.#marker = false;
    return [this.#packet(marker | this.#format.payloadType, this.#timestamp, body)];
  }

  #event(tone: Tone): Uint8Array[] {
    const events = this.#format.events;
    if (events === undefined) return [];
    tone.packets += 1;
    const last = tone.packets === TONE_PACKETS;
    const duration = (tone.packets * events.clockRate * PACKET_MS) / 1000;
    const body = new ByteWriter(4)
      .u8(tone.key)
      .u8((last ? 0x80 : 0) | VOLUME)
      .u16(duration)
      .take();
    const head = (tone.packets === 1 ? MARKER : 0) | events.payloadType;
    if (!last) return [this.#packet(head, tone.timestamp, body)];
    this.#tone = undefined;
    this.#pause = PAUSE_PACKETS;
    this.#marker = true;
    return Array.from({ length: ENDS }, () => this.#packet(head, tone.timestamp, body));
  }

  #packet(second: number, timestamp: number, body: Uint8Array): Uint8Array {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    return rtpPacket({ second, sequence, timestamp, ssrc: this.#ssrc }, body);
  }
}

interface RtpHead {
  /** Marker and payload type. */
  readonly second: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

function rtpPacket({ second, sequence, timestamp, ssrc }: RtpHead, body: Uint8Array): Uint8Array {
  return new ByteWriter(12 + body.length)
    .u8(0x80)
    .u8(second)
    .u16(sequence)
    .u32(timestamp)
    .u32(ssrc)
    .bytes(body)
    .take();
}

/** An unknown payload type is ignored by every receiver and opens the way for what it sends (RFC 6263, 4.6). */
const KEEP_ALIVE_TYPE = 127;

/** A packet without content. */
export const keepAlive = (ssrc: number, sequence: number): Uint8Array =>
  rtpPacket(
    { second: KEEP_ALIVE_TYPE, sequence: sequence & 0xffff, timestamp: 0, ssrc },
    new Uint8Array(0),
  );
