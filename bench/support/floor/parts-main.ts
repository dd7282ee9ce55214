/** Child process: some parts of the server, and nothing between them. */
import { startAudio } from "./audio-part.ts";
import { startIngest } from "./ingest-part.ts";
import type { PartCounts, PartsPlan } from "./part.ts";
import { startSend } from "./send-part.ts";

const plan = JSON.parse(process.argv[2] ?? "{}") as PartsPlan;
const ingest = plan.ingest && (await startIngest(plan.ingest));
const audio = plan.audio && (await startAudio(plan.audio));
const send = plan.send && (await startSend(plan.send));
const counts = (): PartCounts => ({
  ...(ingest && { ingest: ingest.count() }),
  ...(audio && { audio: audio.count() }),
  ...(send && { send: send.count() }),
});
process.on("message", () => void process.send?.(counts()));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
