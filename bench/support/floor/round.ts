/** One round of the floor: each part alone, the parts together, the whole server, then parts and server at the same time. */
import { setTimeout as pause } from "node:timers/promises";
import { usageOf } from "../usage.ts";
import { type Contender, type FloorPlan, partAlone, wholeServer } from "./contenders.ts";

/** Until the runtime has compiled what it runs all the time, and has put in order what it needed to start. */
const WARM_UP_MS = 25_000;

export interface WholeShares {
  readonly all: number;
  readonly control: number;
  readonly worker: number;
  readonly codec: number;
}

export interface PartShares {
  readonly ingest: number;
  readonly audio: number;
  readonly send: number;
}

/** Percent of one core for each stream. */
export interface Shares {
  /** One after the other, each on a machine that has nothing else to do. */
  readonly alone: PartShares;
  /** At the same time: the machine has as much to do as with the server. */
  readonly together: PartShares;
  readonly whole: WholeShares;
  /** Parts and server at the same time, each with half of the streams. */
  readonly beside: { readonly parts: PartShares; readonly whole: WholeShares };
  /** The server where the sound passes as Opus. */
  readonly passed: WholeShares | undefined;
}

/** What each group of processes takes for one stream while the plan runs; then they are gone. */
async function measure<Group extends string>(
  { streams, seconds }: FloorPlan,
  ...contenders: readonly Contender<Group>[]
): Promise<Record<Group, number>> {
  await pause(WARM_UP_MS);
  const groups = contenders.flatMap(({ groups: own }) => own);
  const read = (): number[] => groups.map(([, pids]) => usageOf(pids).cpuSeconds);
  const before = read();
  const from = performance.now();
  await pause(seconds * 1000);
  const after = read();
  const passed = (performance.now() - from) / 1000;
  for (const contender of contenders) await contender.check(seconds + WARM_UP_MS / 1000);
  for (const contender of contenders) await contender.close();
  const share = (i: number): number => (((after[i] ?? 0) - (before[i] ?? 0)) / passed) * 100;
  return Object.fromEntries(groups.map(([name], i) => [name, share(i) / streams])) as Record<
    Group,
    number
  >;
}

const openParts = async (plan: FloorPlan): Promise<Contender<keyof PartShares>[]> => [
  await partAlone("ingest", plan),
  await partAlone("audio", plan),
  await partAlone("send", plan),
];

/** Who is started first has it some hundredths easier; so both are, one after the other. */
async function atOnce(plan: FloorPlan): Promise<Shares["beside"]> {
  const half = { ...plan, streams: Math.ceil(plan.streams / 2) };
  const partsFirst = await measure<keyof PartShares | keyof WholeShares>(
    half,
    ...(await openParts(half)),
    await wholeServer(half, false),
  );
  const serverFirst = await measure<keyof PartShares | keyof WholeShares>(
    half,
    await wholeServer(half, false),
    ...(await openParts(half)),
  );
  const mean = meanOf(partsFirst, serverFirst);
  return { parts: mean, whole: mean };
}

const meanOf = <Name extends string>(
  a: Readonly<Record<Name, number>>,
  b: Readonly<Record<Name, number>>,
): Record<Name, number> =>
  Object.fromEntries(
    (Object.keys(a) as Name[]).map((name) => [name, (a[name] + b[name]) / 2]),
  ) as Record<Name, number>;

export async function floorRound(plan: FloorPlan): Promise<Shares> {
  const { ingest } = await measure(plan, await partAlone("ingest", plan));
  const { audio } = await measure(plan, await partAlone("audio", plan));
  const { send } = await measure(plan, await partAlone("send", plan));
  const together = await measure(plan, ...(await openParts(plan)));
  const whole = await measure(plan, await wholeServer(plan, false));
  const beside = await atOnce(plan);
  const passed = plan.opus ? await measure(plan, await wholeServer(plan, true)) : undefined;
  return { alone: { ingest, audio, send }, together, whole, beside, passed };
}

export const sumOf = ({ ingest, audio, send }: PartShares): number => ingest + audio + send;
