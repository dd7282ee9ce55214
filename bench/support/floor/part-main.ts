/** Child process: one part of the server, and nothing else. Arguments: its name, and its plan as JSON. */
import { startAudio } from "./audio-part.ts";
import { startIngest } from "./ingest-part.ts";
import type { Part, PartName, PartPlans } from "./part.ts";
import { startSend } from "./send-part.ts";

const STARTERS: { [Name in PartName]: (plan: PartPlans[Name]) => Promise<Part> } = {
  ingest: startIngest,
  audio: startAudio,
  send: startSend,
};
const [name, plan = "{}"] = process.argv.slice(2);
const start = STARTERS[name as PartName] as (plan: unknown) => Promise<Part>;
const part = await start(JSON.parse(plan));
process.on("message", () => void process.send?.(part.count()));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
