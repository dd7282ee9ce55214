/** One stream's way through a media worker: session, hub and a transponder whose chunks are counted. */
import { Slab } from "../../../src/base/slab.ts";
import { type Micros, type Millis, micros, millis } from "../../../src/base/time.ts";
import { AAC_GRID, slotAt } from "../../../src/media/audio-grid.ts";
import type { SoundForm } from "../../../src/media/sound-form.ts";
import type { EncodedSink, LiveAudio } from "../../../src/media/sound-row.ts";
import { Transponder } from "../../../src/media/transponder.ts";
import { aacFrameBody } from "../../../src/protocol/flv/audio-tag.ts";
import type { FlvTag } from "../../../src/protocol/flv/tag.ts";
import { TYPE } from "../../../src/protocol/rtmp/chunk-header.ts";
import { ChunkWriter } from "../../../src/protocol/rtmp/chunk-writer.ts";
import type { PeerHandlers } from "../../../src/transport/webrtc/peer.ts";
import type { IngestSession } from "../../../src/worker/ingest-session.ts";
import { openOffline } from "../../../test/support/offline-session.ts";

const SECOND = 1_000_000;
const CHUNK_BYTES = 65_536;
const SOUND: SoundForm = {
  codec: "aac",
  grid: AAC_GRID,
  channels: 2,
  bitrate: 128_000,
  config: Uint8Array.of(0xaf, 0),
  silence: Uint8Array.of(0xaf, 1),
};
const AAC_FRAME = new Uint8Array(341);
/** As the worker's, of all streams. */
const FRAMES = new Slab();
function raise(error: unknown): never {
  throw error;
}

/** Gives a frame for each slot that the sound has reached, as an encoder without delay would. */
function openAudio(sink: EncodedSink): LiveAudio {
  let next = 0;
  return {
    write: ({ pts }) => {
      for (const slot = slotAt(AAC_GRID, pts); next <= slot; next += 1) {
        sink(next, aacFrameBody(AAC_FRAME, FRAMES));
      }
    },
    close: () => undefined,
  };
}

export class PacketPath {
  readonly #session: IngestSession;
  readonly #transponder: Transponder;
  readonly #writer = new ChunkWriter();
  readonly #library: PeerHandlers;
  /** Pictures sent. */
  pictures = 0;
  chunks = 0;
  feedback = 0;

  constructor(now: () => Micros) {
    this.#writer.setChunkSize(CHUNK_BYTES);
    const onSent = (): void => {
      this.feedback += 1;
    };
    const { session, library } = openOffline({
      ...{ now, onSent, onBug: raise },
      openAudio: (_form, sink) => openAudio(sink),
    });
    this.#session = session;
    this.#library = library;
    this.#transponder = new Transponder(
      {
        ...{ sendMetadata: true, muted: false, audio: SOUND, playout: undefined },
        budget: { bytes: 4 << 20, duration: millis(5000) },
        audioAloneAfter: micros(SECOND),
      },
      {
        describe: () => new Uint8Array(1),
        requestKeyframe: () => undefined,
        onLive: () => undefined,
        onClipEnded: () => undefined,
        onClipLost: () => undefined,
      },
    );
    this.#library.onState("connected");
    const write = (tag: FlvTag, timestamp: Millis): boolean => this.#write(tag, timestamp);
    this.#transponder.connect({ write, backlog: () => 0, holdsPictures: () => false }, now());
    this.#session.hub.join(this.#transponder, now());
  }

  onPacket(bytes: Uint8Array, now: Micros): void {
    this.#library.onPacket(bytes, now);
  }

  tick(now: Micros): void {
    this.#session.tick(now);
    this.#transponder.tick(now);
  }

  #write(tag: FlvTag, timestamp: Millis): boolean {
    const type = tag.kind === "script" ? TYPE.data : TYPE[tag.kind];
    const message = { type, streamId: 1, timestamp, payload: tag.body };
    this.chunks += this.#writer.write(message, tag.kind === "video" ? 6 : 4).length;
    if (tag.kind === "video") this.pictures += 1;
    return true;
  }
}
