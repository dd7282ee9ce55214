/** The real audio engine with everything that comes out of it written down. */
import { setTimeout as delay } from "node:timers/promises";
import { micros } from "../../src/base/time.ts";
import type { AudioCodec } from "../../src/media/frame.ts";
import type { SoundForm } from "../../src/media/sound-form.ts";
import { createAudioTranscoder } from "../../src/transport/audio/audio-transcoder.ts";
import type { AudioTranscoderOptions } from "../../src/transport/audio/codec-transcoder.ts";
import type {
  AudioTranscoder,
  CodecEvent,
  SlotFrame,
} from "../../src/transport/audio/transcoder.ts";
import { aacForm } from "./sound-forms.ts";

/** Resolves once `fact` holds; fails after `limit` milliseconds. */
export async function until(what: string, fact: () => boolean, limit = 60_000): Promise<void> {
  for (let waited = 0; !fact(); waited += 5) {
    if (waited > limit) throw new Error(`never happened: ${what}`);
    await delay(5);
  }
}

export interface RecordedTranscode {
  readonly frames: SlotFrame[];
  readonly interruptions: string[];
  /** Writes 20 ms packets from `pts` on, microseconds; undefined is a packet that was lost. */
  feed(packets: readonly (Uint8Array | undefined)[], codec: AudioCodec, pts: number): void;
  close(): void;
}

export interface AudioLab {
  readonly engine: AudioTranscoder;
  readonly events: CodecEvent[];
  /** An encoding to AAC with so many channels, or to this form. */
  open(form: 1 | 2 | SoundForm): RecordedTranscode;
  /** Process ids of the codec processes so far. */
  pids(): number[];
}

/** A busy machine lets a codec process wait for longer than live audio would. */
const PATIENT: AudioTranscoderOptions = { maxLagMs: 60_000, silenceMs: 60_000 };

export function openAudioLab(options: AudioTranscoderOptions = {}): AudioLab {
  const events: CodecEvent[] = [];
  const engine = createAudioTranscoder({
    ...PATIENT,
    ...options,
    onEvent: (event) => events.push(event),
  });
  return {
    engine,
    events,
    open: (form) => openRecorded(engine, typeof form === "number" ? aacForm(form) : form),
    pids: () => events.flatMap((event) => (event.kind === "started" ? [event.pid] : [])),
  };
}

function openRecorded(engine: AudioTranscoder, form: SoundForm): RecordedTranscode {
  const { channels } = form;
  const frames: SlotFrame[] = [];
  const interruptions: string[] = [];
  const transcode = engine.open(form, {
    onFrames: (more) => frames.push(...more),
    onInterrupted: (cause) => interruptions.push(cause.code),
  });
  return {
    frames,
    interruptions,
    feed: (packets, codec, pts) => {
      for (const [i, payload] of packets.entries()) {
        if (payload === undefined) continue;
        const at = micros(pts + i * 20_000);
        const duration = micros(20_000);
        transcode.write({
          kind: "audio",
          codec,
          pts: at,
          arrival: at,
          duration,
          channels,
          payload,
        });
      }
    },
    close: () => transcode.close(),
  };
}
