/** Process of the lab's publishers: one or many of them, each a WHIP client that plays a recording. */
import { machineMicros } from "./marker.ts";
import { type PackedRecording, packRecording } from "./packetizer.ts";
import type { PublisherCommand, PublisherEvent, StreamPlan } from "./publisher.ts";
import { readRecording } from "./recording.ts";
import { RtpSender } from "./rtp-sender.ts";
import { senderOffer } from "./sender-offer.ts";
import { WhipPeer } from "./whip-peer.ts";

const TICK_MS = 5;

interface Running {
  readonly sender: RtpSender;
  peer: WhipPeer | undefined;
  connected: boolean;
}

const recordings = new Map<string, PackedRecording>();
const running = new Map<number, Running>();

/** Said in vain when the parent is gone. */
function report(event: PublisherEvent): void {
  process.send?.(event, undefined, undefined, () => undefined);
}

function recordingOf({ recording, sender }: StreamPlan): PackedRecording {
  const { shape = "aggregated" } = sender;
  const key = JSON.stringify([recording, shape]);
  const known = recordings.get(key) ?? packRecording(readRecording(recording), shape);
  recordings.set(key, known);
  return known;
}

async function start(id: number, plan: StreamPlan): Promise<void> {
  const sender = new RtpSender(recordingOf(plan), plan.sender, (bytes) => stream.peer?.send(bytes));
  const stream: Running = { sender, peer: undefined, connected: false };
  running.set(id, stream);
  const offer = (transport: readonly string[]): string => senderOffer(plan.sender, transport);
  stream.peer = await WhipPeer.publish(
    { url: plan.whipUrl, offer, viaPort: plan.viaPort },
    {
      onConnected: () => {
        stream.connected = true;
        report({ kind: "live", id });
      },
      onPacket: (bytes) => attempt(id, () => sender.onPacket(bytes)),
      onClosed: () => report({ kind: "closed", id }),
    },
  );
}

/** Nothing may be thrown inside a callback of the library. */
function attempt(id: number, call: () => void): void {
  try {
    call();
  } catch (error) {
    report({ kind: "failed", id, message: String(error) });
  }
}

async function stop(id: number): Promise<void> {
  const stream = running.get(id);
  if (stream === undefined) return;
  running.delete(id);
  await stream.peer?.close();
  const { startedAt = 0, pictures, counts } = stream.sender;
  report({ kind: "stopped", id, startedAt, pictures, counts });
}

process.on("message", (command: PublisherCommand) => {
  const { id } = command;
  const work = command.kind === "start" ? start(id, command.plan) : stop(id);
  work.catch((error: unknown) => report({ kind: "failed", id, message: String(error) }));
});
process.on("disconnect", () => process.exit(0));

setInterval(() => {
  const now = machineMicros();
  for (const [id, { sender, connected }] of running) {
    if (connected) attempt(id, () => sender.tick(now));
  }
}, TICK_MS);
