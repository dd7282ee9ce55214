import { Slab } from "../base/slab.ts";
import { audioSpecificConfig } from "../codec/aac/audio-specific-config.ts";
import { silentFrame } from "../codec/aac/silence.ts";
import { G711_SILENCE } from "../codec/g711.ts";
import { opusHead } from "../codec/opus/identification.ts";
import { silentOpusPacket } from "../codec/opus/silence.ts";
import { SILENT_SPEEX_FRAME } from "../codec/speex/silence.ts";
import type { SoundWish } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { AAC_GRID, G711_GRID, OPUS_GRID, SPEEX_GRID } from "../media/audio-grid.ts";
import { OpusPassage } from "../media/opus-passage.ts";
import type { PassedAudio } from "../media/rtmp-ingest.ts";
import type { SoundCodec, SoundForm } from "../media/sound-form.ts";
import type { EncodedSink, LiveAudio } from "../media/sound-row.ts";
import type { ClipBodies } from "../media/sound-switch.ts";
import {
  aacConfigBody,
  aacFrameBody,
  opusConfigBody,
  opusFrameBody,
  plainSoundBody,
} from "../protocol/flv/audio-tag.ts";
import type { AudioClip, AudioTranscoder } from "../transport/audio/transcoder.ts";

/** The forms of a stream's sound; each stays as it is for the whole life of the stream. */
export interface StreamSound {
  /** What destinations get. */
  readonly push: SoundForm;
  /** The source's Opus as it is, for destinations that say they take it; undefined where none gets it. */
  readonly opus: SoundForm | undefined;
  /** What players of this server get: AAC, which every player knows. */
  readonly play: SoundForm;
}

/** What is known of the sound of a source when the forms are chosen. */
export interface SourceSound {
  readonly codec: string | undefined;
  readonly channels: 1 | 2 | undefined;
  /** AAC that passes as it comes. */
  readonly passed: PassedAudio | undefined;
}

type AudioOptions = WorkerOptions["audio"];

/** AAC that passes as it comes is the only form of its stream: silence and sound files are made to fit it. */
export function chooseSound(options: AudioOptions, source: SourceSound): StreamSound {
  const play = aacForm(options, source);
  const codec = source.passed === undefined ? outgoingCodec(options, source.codec) : "aac";
  const passes = codec === "aac" && options.passOpus && source.codec === "opus";
  const opus = passes ? opusForm(options) : undefined;
  return { play, push: codec === "aac" ? play : plainForm(codec), opus };
}

/** As the source sends it where that is asked for, else what pushes are to sound in. */
function outgoingCodec({ codec, passthrough }: AudioOptions, source: string | undefined) {
  return passthrough.find((passed) => passed === source) ?? codec;
}

/** As many channels as the source really sends, unless a setting says otherwise. */
function aacForm(options: AudioOptions, { passed, channels: sent = 1 }: SourceSound): SoundForm {
  const channels = passed?.channels ?? (options.channels === 0 ? sent : options.channels);
  const rate = passed?.sampleRate ?? AAC_GRID.rate;
  return {
    codec: "aac",
    grid: { ...AAC_GRID, rate },
    channels,
    bitrate: channels === 1 ? options.monoBitrate : options.stereoBitrate,
    config: passed?.config ?? aacConfigBody(audioSpecificConfig(rate, channels)),
    silence: aacFrameBody(silentFrame(channels)),
  };
}

/** Bits per second of sound files as Opus. */
const OPUS_BITRATE = { 1: 64_000, 2: 96_000 } as const;

/**
 * Two channels unless a setting says otherwise: a source of Opus may go from one to two and back from packet
 * to packet, and all decoders make of both what this says.
 */
function opusForm({ channels: wanted }: AudioOptions): SoundForm {
  const channels = wanted === 0 ? 2 : wanted;
  return {
    codec: "opus",
    grid: OPUS_GRID,
    channels,
    bitrate: OPUS_BITRATE[channels],
    config: opusConfigBody(opusHead(channels)),
    silence: opusFrameBody(silentOpusPacket(channels)),
  };
}

const G711_BITRATE = 64_000;

function plainForm(codec: "pcma" | "pcmu" | "speex"): SoundForm {
  const form = { codec, channels: 1, config: undefined } as const;
  if (codec === "speex") {
    return { ...form, grid: SPEEX_GRID, bitrate: 0, silence: slotBody(codec, SILENT_SPEEX_FRAME) };
  }
  const silent = new Uint8Array(G711_GRID.samples).fill(G711_SILENCE[codec]);
  return { ...form, grid: G711_GRID, bitrate: G711_BITRATE, silence: slotBody(codec, silent) };
}

/** Frames of all streams, because all are kept about equally long. */
const FRAMES = new Slab();

/** FLV tag body of one encoded slot, in memory of `slab` where that is given. */
function slotBody(codec: SoundCodec, frame: Uint8Array, slab?: Slab): Uint8Array {
  if (codec === "aac") return aacFrameBody(frame, slab);
  return codec === "opus" ? opusFrameBody(frame) : plainSoundBody(codec, frame);
}

/** Makes a stream's audio into this form once for all who get it; Opus passes without the transcoder. */
export function openLiveAudio(
  transcoder: AudioTranscoder,
  form: SoundForm,
  sink: EncodedSink,
): LiveAudio {
  const encode = (): LiveAudio =>
    transcoder.open(form, {
      onFrames: (frames) => {
        for (const { slot, body } of frames) sink(slot, slotBody(form.codec, body, FRAMES));
      },
      onInterrupted: () => undefined,
    });
  return form.codec === "opus" ? new OpusPassage(sink, encode) : encode();
}

/** Sound files as tag bodies; one set of bodies per clip, whoever plays it. */
export class ClipShelf {
  readonly #transcoder: AudioTranscoder;
  readonly #bodies = new WeakMap<AudioClip, { once: Uint8Array[]; loop: Uint8Array[] }>();

  constructor(transcoder: AudioTranscoder) {
    this.#transcoder = transcoder;
  }

  /**
   * Rejects with `Failure`: `soundFileNotFound`, `soundFileInvalid`, `soundNotEncodable`,
   * `codecUnavailable`.
   */
  async load(wish: SoundWish, form: SoundForm): Promise<ClipBodies> {
    const clip = await this.#transcoder.loadClip(wish.path, form);
    let bodies = this.#bodies.get(clip);
    if (bodies === undefined) {
      const body = (frame: Uint8Array): Uint8Array => slotBody(form.codec, frame);
      bodies = { once: clip.frames.map(body), loop: clip.loop.map(body) };
      this.#bodies.set(clip, bodies);
    }
    return { bodies: wish.loop ? bodies.loop : bodies.once, loop: wish.loop };
  }
}
