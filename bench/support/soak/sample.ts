/** What the server holds at one moment: memory and descriptors of its processes, what REST and metrics say. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { TestServer } from "../../../test/support/server.ts";
import { familyOf, usageOf } from "../usage.ts";

export const ROLES = ["control", "worker", "audio codec", "video codec"] as const;
export type Role = (typeof ROLES)[number];

interface ProcessSample {
  readonly pid: number;
  readonly role: Role;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly sockets: number;
}

export interface Sample {
  readonly processes: readonly ProcessSample[];
  readonly streams: number;
  readonly pushes: number;
  /** WebSDK clients. */
  readonly sessions: number;
  readonly players: number;
  readonly encoders: number;
  /** Timers of the control process. */
  readonly timers: number;
  readonly livePushes: number;
}

interface Entry {
  readonly state?: string;
}

/** Undefined when it has ended meanwhile. */
function sampleProcess(pid: number, root: number): ProcessSample | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => target(`/proc/${pid}/fd/${fd}`));
    return {
      pid,
      role: roleOf(command, pid === root),
      residentBytes: usageOf([pid]).residentBytes,
      descriptors: links.length,
      sockets: links.filter((link) => link.startsWith("socket:")).length,
    };
  } catch {
    return undefined;
  }
}

function target(link: string): string[] {
  try {
    return [readlinkSync(link)];
  } catch {
    return [];
  }
}

function roleOf(command: string, isRoot: boolean): Role {
  if (isRoot) return "control";
  if (command.includes("worker-main")) return "worker";
  return command.includes("video-main") ? "video codec" : "audio codec";
}

/** Entries of a list; REST answers 404 when there is none. */
async function list(server: TestServer, path: string): Promise<readonly Entry[]> {
  const { status, body } = await server.rest(path);
  return status === 200 ? (body as Entry[]) : [];
}

export async function takeSample(server: TestServer): Promise<Sample> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const metric = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  const pushes = await list(server, "/push/find_all");
  return {
    processes: familyOf(server.pid).flatMap((pid) => sampleProcess(pid, server.pid) ?? []),
    streams: (await list(server, "/stream/find_all")).length,
    pushes: pushes.length,
    livePushes: pushes.filter(({ state }) => state === "live").length,
    sessions: metric("transponder_ws_sessions"),
    players: metric("transponder_players"),
    encoders: metric("transponder_transcodes"),
    timers: metric('nodejs_active_resources{type="Timeout"}'),
  };
}

export const residentBytes = ({ processes }: Sample, roles: readonly Role[] = ROLES): number =>
  processes
    .filter(({ role }) => roles.includes(role))
    .reduce((sum, one) => sum + one.residentBytes, 0);

/** Everything countable that should be as it was before anybody came. */
export function countsOf(sample: Sample): ReadonlyMap<string, number> {
  const { processes, streams, pushes, sessions, players, encoders, timers } = sample;
  const counts = new Map<string, number>(
    Object.entries({ streams, pushes, sessions, players, encoders, timers }),
  );
  for (const role of ROLES) {
    const some = processes.filter((one) => one.role === role);
    counts.set(`${role} processes`, some.length);
    for (const figure of ["descriptors", "sockets"] as const) {
      counts.set(
        `${role} ${figure}`,
        some.reduce((sum, one) => sum + one[figure], 0),
      );
    }
  }
  return counts;
}
