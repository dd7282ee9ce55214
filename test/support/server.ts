import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./static-site.ts";

/** The server as a user runs it, on ports of its own. */
export interface TestServer {
  readonly wsUrl: string;
  readonly httpUrl: string;
  readonly pid: number;
  /** Its own RTMP URL, to publish to and push to; undefined when it takes no RTMP. */
  readonly receiver: string | undefined;
  /** Folder of sound files. */
  readonly mediaDirectory: string;
  /** Everything printed so far. */
  output(): string;
  /** POSTs to `/rest-api` and reads the answer. */
  rest(path: string, body?: object): Promise<{ status: number; body: unknown }>;
  /** Resolves when the predicate holds for the answer of a REST call, asked again until it does. */
  restUntil(
    path: string,
    body: object,
    holds: (status: number, body: unknown) => boolean,
  ): Promise<unknown>;
  /** Ends it by SIGTERM and waits, 10 s unless told otherwise; resolves with the exit code. */
  stop(patienceMs?: number): Promise<number | null>;
}

const HERE = dirname(fileURLToPath(import.meta.url));

function projectRoot(): string {
  let folder = HERE;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** Root of the project, above `test` or `dist/test`. */
export const PROJECT_ROOT = projectRoot();

const READY = /Transponder is ready\./;
const POLL_MS = 50;
/** How long a fact is waited for: a machine that is busy with other things is slow, not wrong. */
export const PATIENCE_MS = 60_000;

/** A port that was free may be somebody's a moment later. */
const ATTEMPTS = 3;

/** Starts the built server; `settings` win over the random ports chosen here. */
export async function startServer(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<TestServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(settings);
    } catch (error) {
      if (attempt === ATTEMPTS || !/already in use/.test(String(error))) throw error;
    }
  }
}

async function launch(settings: Readonly<Record<string, string | number>>): Promise<TestServer> {
  const mediaDirectory = await mkdtemp(join(tmpdir(), "media-"));
  const ports = {
    ws: await freePort(),
    http: await freePort(),
    rtmp: await freePort(),
    media: await freePort(),
  };
  const all: Record<string, string | number> = {
    ip_local: "127.0.0.1",
    "ws.port": ports.ws,
    "http.port": ports.http,
    "wss.port": 0,
    "https.port": 0,
    media_port_from: ports.media,
    media_port_to: 65_535,
    media_dir: mediaDirectory,
    rtmp_port: ports.rtmp,
    // What else runs on the machine of a test must not decide whether it passes.
    max_cpu_percent: 0,
    worker_max_busy_percent: 100,
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const main = join(PROJECT_ROOT, "dist", "src", "main.js");
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", "--max-semi-space-size=4", main, ...flags],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output = await whenReady(child);
  const httpUrl = `http://127.0.0.1:${all["http.port"]}`;
  const rest: TestServer["rest"] = async (path, body = {}) => {
    const response = await fetch(`${httpUrl}/rest-api${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    wsUrl: `ws://127.0.0.1:${all["ws.port"]}`,
    httpUrl,
    pid: child.pid as number,
    receiver:
      Number(all["rtmp_port"]) === 0 ? undefined : `rtmp://127.0.0.1:${all["rtmp_port"]}/live`,
    mediaDirectory,
    output,
    rest,
    restUntil: (path, body, holds) =>
      until(`${path} as expected`, async () => {
        const answer = await rest(path, body);
        return holds(answer.status, answer.body) ? (answer.body ?? true) : undefined;
      }),
    async stop(patienceMs = 10_000) {
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      if (child.exitCode === null) child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      const code = child.exitCode ?? (await ended);
      clearTimeout(timer);
      await rm(mediaDirectory, { recursive: true, force: true });
      return code;
    },
  };
}

function whenReady(child: ChildProcess): Promise<() => string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const onData = (bytes: Buffer): void => {
      text += bytes.toString();
      if (READY.test(text)) resolve(() => text);
    };
    child.stdout?.on("data", onData);
    child.stderr?.on("data", onData);
    child.once("exit", (code) => reject(new Error(`the server ended (${code}):\n${text}`)));
  });
}

/** Asks again and again until there is an answer; fails in the end, naming what was waited for. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
