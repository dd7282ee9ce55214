import type { Socket } from "node:net";
import { type Clock, millis } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Commands, Empty, WorkerEvent } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { StreamHubOptions } from "../media/stream-hub.ts";
import { FlvRelay } from "../transport/flv/flv-relay.ts";
import { type FlvLink, FlvServer } from "../transport/flv/flv-server.ts";
import { describe } from "./push.ts";
import { RtmpHall, refusalOf } from "./rtmp-hall.ts";
import { RTMP_RING, RtmpSource } from "./rtmp-source.ts";
import type { Source, SourcePorts } from "./source.ts";
import { type Player, type PlayerLink, TagPlayer } from "./tag-player.ts";

/** What the doors need of their worker. */
export interface TagDoorsPorts {
  readonly clock: Clock;
  readonly hubOptions: StreamHubOptions;
  /** Everybody who plays here; theirs are added and taken away. */
  readonly players: Map<MediaSessionId, Player>;
  sourcePorts(session: MediaSessionId): SourcePorts;
  addStream(session: MediaSessionId, source: Source): void;
  /** Throws `Failure` `streamNotFound`. */
  source(session: MediaSessionId): Source;
  /** In which players get the sound. */
  playForm(session: MediaSessionId): SoundForm;
  emit(event: WorkerEvent): void;
  onBug(error: unknown): void;
}

type Arg<K extends keyof Commands> = Commands[K]["in"];

const DONE = {};
const GONE = { code: "playerStopped", message: "the player has gone" } as const;

/** The ways into a worker and out of it that carry tags: RTMP both ways, and HTTP-FLV. */
export class TagDoors {
  readonly #options: WorkerOptions;
  readonly #ports: TagDoorsPorts;
  readonly #hall: RtmpHall;
  readonly #flv = new FlvServer();

  constructor(options: WorkerOptions, ports: TagDoorsPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#hall = new RtmpHall(
      { ...options.rtmp, writeTimeoutMs: options.push.writeTimeoutMs },
      {
        clock: ports.clock,
        onWish: (wish) => ports.emit({ kind: "rtmp.wish", wish }),
        onBug: ports.onBug,
      },
    );
  }

  /** Takes an RTMP client that has just connected. */
  adopt(socket: Socket): void {
    this.#hall.adopt(socket);
  }

  publish({ connection: id, session }: Arg<"rtmp.publish">): Empty {
    const { connection } = this.#hall.answer(id);
    const { idleTimeoutMs } = this.#options.rtmp;
    const source = new RtmpSource(
      { session, idleTimeoutMs, hub: { ...this.#ports.hubOptions, ring: RTMP_RING } },
      {
        ...this.#ports.sourcePorts(session),
        close: (message) => connection.close(message),
        onCodecs: (audioCodec, videoCodec) =>
          this.#ports.emit({ kind: "publish.codecs", session, audioCodec, videoCodec }),
      },
    );
    this.#ports.addStream(session, source);
    connection.serve(source);
    return DONE;
  }

  play({ connection: id, session, source }: Arg<"rtmp.play">): Empty {
    const { connection } = this.#hall.answer(id);
    const player = this.#openPlayer(session, source, connection);
    connection.serve({
      onMedia: () => undefined,
      onMetadata: () => undefined,
      onDrain: () => player.drained(),
      onClosed: () => player.end(GONE),
    });
    if (!connection.closed) player.start();
    return DONE;
  }

  /** Its player lives on the worker that has the stream; this one only hands on. */
  relay({ connection: id, session, port }: Arg<"rtmp.relay">): Empty {
    const { connection } = this.#hall.answer(id);
    const relay = new FlvRelay(port, session, {
      onTag: ({ timestamp, ...tag }) => connection.write(tag, millis(timestamp)),
      onEnd: () => connection.close("the stream is over"),
    });
    connection.serve({
      onMedia: () => undefined,
      onMetadata: () => undefined,
      onDrain: () => relay.drained(),
      onClosed: () => relay.close(),
    });
    if (connection.closed) relay.close();
    return DONE;
  }

  refuse({ connection: id, reason }: Arg<"rtmp.refuse">): Empty {
    const { connection, role } = this.#hall.answer(id);
    connection.refuse(refusalOf(role, reason.code), reason.message);
    return DONE;
  }

  async openFlv({ session, source }: Arg<"flv.open">): Promise<Commands["flv.open"]["out"]> {
    const port = await this.#flv.port();
    const link = this.#flv.expect(session);
    const player = this.#openFlvPlayer(session, source, link);
    link.onOpen({
      onStart: () => player.start(),
      onDrain: () => player.drained(),
      onClosed: () => player.end(GONE),
    });
    return { port };
  }

  async close(message: string): Promise<void> {
    this.#hall.close(message);
    await this.#flv.close();
  }

  #openFlvPlayer(session: MediaSessionId, source: MediaSessionId, link: FlvLink): TagPlayer {
    try {
      return this.#openPlayer(session, source, link);
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #openPlayer(session: MediaSessionId, source: MediaSessionId, link: PlayerLink): TagPlayer {
    const { players, clock } = this.#ports;
    const stream = this.#ports.source(source);
    if (players.has(session)) throw fail("sessionIdInUse", "the worker has this session");
    const audio = this.#ports.playForm(source);
    const { bufferBytes, bufferMs } = this.#options.push;
    const player = new TagPlayer(
      { source, audio, bufferBytes, bufferMs },
      {
        hub: stream.hub,
        clock,
        link,
        describe: () => describe(stream.hub, audio),
        requestKeyframe: () => stream.requestKeyframe(),
        onState: (state) => {
          if (state.kind === "ended") players.delete(session);
          this.#ports.emit({ kind: "play.state", session, state });
        },
      },
    );
    players.set(session, player);
    return player;
  }
}
