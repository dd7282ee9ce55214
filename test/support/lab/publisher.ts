/**
 * Publishers of our own, for tests and benchmarks: they play a recording to a running server over WHIP,
 * packet for packet as planned, and tell afterwards what they sent.
 *
 *     const publishers = startPublishers();
 *     const publisher = await publishers.publish({
 *       whipUrl: `${server.httpUrl}/whip/${name}`,
 *       recording: HD,
 *       sender: BROWSER,
 *     });
 *     ...
 *     const { pictures, counts } = await publisher.stop();
 *     await publishers.close();
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { PATIENCE_MS } from "../server.ts";
import type { RecordingOptions } from "./recording.ts";
import type { SenderCounts, SenderPlan, SentPicture } from "./rtp-sender.ts";

export interface StreamPlan {
  readonly whipUrl: string;
  readonly recording: RecordingOptions;
  readonly sender: SenderPlan;
  /** UDP port of a relay on loopback to send to instead of the server's. */
  readonly viaPort?: number;
}

/** Camera and microphone with sender reports, as a browser sends them. */
export const BROWSER: SenderPlan = {
  video: { delayMs: 20, reports: { firstMs: 500, everyMs: 1000 } },
  audio: { delayMs: 5, reports: { firstMs: 700, everyMs: 5000 } },
};

/** What one publisher did. */
export interface SentReport {
  /** When it began, microseconds of `machineMicros`. */
  readonly startedAt: number;
  readonly pictures: readonly SentPicture[];
  readonly counts: SenderCounts;
}

export interface LabPublisher {
  /** Ends the stream over WHIP. */
  stop(): Promise<SentReport>;
}

/** One process with any number of publishers. */
export interface PublisherProcess {
  readonly pid: number;
  /** Resolves when media begins to flow. */
  publish(plan: StreamPlan): Promise<LabPublisher>;
  /** Ends the process; streams that still run just fall silent. */
  close(): Promise<void>;
}

export type PublisherCommand =
  | { readonly kind: "start"; readonly id: number; readonly plan: StreamPlan }
  | { readonly kind: "stop"; readonly id: number };

export type PublisherEvent =
  | { readonly kind: "live" | "closed"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  | ({ readonly kind: "stopped"; readonly id: number } & SentReport);

type EventOf<Kind> = Extract<PublisherEvent, { readonly kind: Kind }>;

/** Starts a process for publishers; the native library may only run in one that holds nothing else. */
export function startPublishers(): PublisherProcess {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const child = fork(new URL(`./publisher-main.${extension}`, import.meta.url));
  let serial = 0;
  const command = (message: PublisherCommand): void => {
    child.send(message);
  };
  return {
    pid: child.pid as number,
    async publish(plan) {
      const id = serial++;
      const live = awaitEvent(child, id, "live");
      command({ kind: "start", id, plan });
      await live;
      return {
        stop: () => {
          const stopped = awaitEvent(child, id, "stopped");
          command({ kind: "stop", id });
          return stopped;
        },
      };
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

/** Rejects when the publisher fails, its process ends, or nothing happens for long. */
function awaitEvent<Kind extends PublisherEvent["kind"]>(
  child: ChildProcess,
  id: number,
  kind: Kind,
): Promise<EventOf<Kind>> {
  return new Promise((resolve, reject) => {
    const onMessage = (event: PublisherEvent): void => {
      if (event.id !== id || (event.kind !== kind && event.kind !== "failed")) return;
      off();
      if (event.kind === "failed") reject(new Error(event.message));
      else resolve(event as EventOf<Kind>);
    };
    const onExit = (code: number | null): void => {
      off();
      reject(new Error(`the publishers' process ended (${code})`));
    };
    const timer = setTimeout(() => {
      off();
      reject(new Error(`the publisher is not ${kind} after ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    const off = (): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}
