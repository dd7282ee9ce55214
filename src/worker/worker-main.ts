/** Entry point of a media worker process: builds the worker from its first message and answers commands. */

import { Socket } from "node:net";
import { CHANNEL_FAILURES, fail } from "../contract/failures.ts";
import type { Commands, WorkerEvent } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { Answerer } from "../ipc/channel.ts";
import { parentPort } from "../ipc/process-port.ts";
import { machineCpu } from "../machine/cpu-times.ts";
import { createLogger, LOG_LEVELS, type LogLevel } from "../observe/logger.ts";
import { systemClock } from "../observe/system-clock.ts";
import { createAudioTranscoder } from "../transport/audio/audio-transcoder.ts";
import { createVideoTranscoder } from "../transport/video/video-transcoder.ts";
import { createPeerFactory } from "../transport/webrtc/datachannel-peer.ts";
import { tuneGarbageCollection } from "./garbage.ts";
import { Worker } from "./worker.ts";

const toLevel = (level: string): LogLevel => LOG_LEVELS.find((known) => known === level) ?? "info";

tuneGarbageCollection();
let logger = createLogger("info");
let worker: Worker | undefined;
let release: () => Promise<void> = async () => undefined;

const onBug = (error: unknown): void => logger.error({ error }, "defect in the worker");

function configure(
  options: WorkerOptions,
  emit: (event: WorkerEvent) => void,
): { udpPort: number } {
  logger = createLogger(toLevel(options.log.level));
  const { udpPort } = options.webrtc;
  const peers = createPeerFactory({ ...options.webrtc, clock: systemClock });
  const transcoder = createAudioTranscoder({
    aacEngine: options.aacEngine,
    onEvent: (event) => logger.info({ codec: event }, `audio codec: ${event.kind}`),
  });
  const videoTranscoder = createVideoTranscoder({
    onEvent: (event) => logger.info({ codec: event }, `video codec process: ${event.kind}`),
  });
  const built = new Worker(options, {
    clock: systemClock,
    peers,
    transcoder,
    videoTranscoder,
    readCpu: machineCpu,
    random: Math.random,
    emit,
    onBug,
  });
  worker = built;
  const beat = (): NodeJS.Timeout =>
    setTimeout(() => {
      timer = beat();
    }, built.tick());
  let timer = beat();
  release = async () => {
    clearTimeout(timer);
    await Promise.all([transcoder.close(), videoTranscoder.close()]);
    peers.close();
  };
  return { udpPort };
}

function ready(): Worker {
  if (worker === undefined) throw fail("internal", "the worker is not configured yet");
  return worker;
}

const port = parentPort();
const answerer = new Answerer<Commands, WorkerEvent>(
  port,
  CHANNEL_FAILURES,
  {
    configure: (options) => configure(options, (event) => answerer.emit(event)),
    "publish.open": (arg) => ready().handlers["publish.open"](arg),
    "publish.close": (arg) => ready().handlers["publish.close"](arg),
    "call.open": (arg) => ready().handlers["call.open"](arg),
    "call.dtmf": (arg) => ready().handlers["call.dtmf"](arg),
    "play.open": (arg) => ready().handlers["play.open"](arg),
    "play.close": (arg) => ready().handlers["play.close"](arg),
    "rtmp.publish": (arg) => ready().handlers["rtmp.publish"](arg),
    "rtmp.play": (arg) => ready().handlers["rtmp.play"](arg),
    "rtmp.relay": (arg) => ready().handlers["rtmp.relay"](arg),
    "rtmp.refuse": (arg) => ready().handlers["rtmp.refuse"](arg),
    "flv.open": (arg) => ready().handlers["flv.open"](arg),
    "push.start": (arg) => ready().handlers["push.start"](arg),
    "push.stop": (arg) => ready().handlers["push.stop"](arg),
    "push.mute": (arg) => ready().handlers["push.mute"](arg),
    "push.sound": (arg) => ready().handlers["push.sound"](arg),
    "destination.check": (arg) => ready().handlers["destination.check"](arg),
    stats: (arg) => ready().handlers.stats(arg),
    drain: (arg) => ready().handlers.drain(arg),
  },
  onBug,
);

async function end(): Promise<void> {
  await worker?.drain({ code: "shuttingDown", message: "the control process is gone" });
  await release();
  process.exit(0);
}

// An RTMP client that has just connected; nothing of it was read yet.
process.on("message", (_message: unknown, handle: unknown) => {
  if (!(handle instanceof Socket)) return;
  if (worker === undefined) handle.destroy();
  else worker.adopt(handle);
});

// Signals of the terminal are for the control process, which ends workers by closing the channel.
process.on("SIGINT", () => undefined);
port.onClose(() => void end());
