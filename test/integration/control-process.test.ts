/** The program as a user starts, watches and ends it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { PROJECT_ROOT, startServer, until } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";

const MAIN = join(PROJECT_ROOT, "dist", "src", "main.js");
const NATIVE = /node_datachannel|node-datachannel|node-av/;

/** Ends with the exit code and everything printed. */
async function run(args: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let error = "";
  child.stdout.on("data", (bytes: Buffer) => {
    out += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    error += bytes.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, error };
}

/** Descendants of a process whose command line names `module`. */
function children(parent: number, module: string): number[] {
  const read = (pid: number, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return "";
    }
  };
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number(/^PPid:\s*(\d+)/m.exec(read(pid, "status"))?.[1]) === parent)
    .filter((pid) => read(pid, "cmdline").includes(module));
}

const mapsOf = (pid: number): string => readFileSync(`/proc/${pid}/maps`, "utf8");

/** Value of a metric without labels. */
async function metric(httpUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

test("the control process loads no native library, its worker does", async () => {
  const server = await startServer({ rtmp_port: 0 });
  try {
    assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
    assert.doesNotMatch(mapsOf(server.pid), NATIVE);
    const [worker] = children(server.pid, "worker-main");
    assert.match(mapsOf(worker ?? 0), NATIVE);
  } finally {
    await server.stop();
  }
});

test("a termination ends every process and the exit code is 0", async () => {
  const server = await startServer();
  const all = children(server.pid, "worker-main");
  assert.equal(all.length, 1);
  assert.equal(await server.stop(), 0);
  for (const pid of all) assert.ok(!existsSync(`/proc/${pid}`));
});

test("a worker that takes more memory than allowed is replaced", async () => {
  const server = await startServer({ worker_max_memory_mb: 1, rtmp_port: 0 });
  try {
    const [first] = children(server.pid, "worker-main");
    await until("another worker", async () => {
      const [now] = children(server.pid, "worker-main");
      return now !== undefined && now !== first ? now : undefined;
    });
    assert.match(server.output(), /more memory than allowed/);
    assert.ok((await metric(server.httpUrl, "transponder_worker_deaths_total")) >= 1);
    assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
  } finally {
    await server.stop();
  }
});

test("metrics can be turned off", async () => {
  const off = { metrics_enabled: "false", rtmp_port: 0 };
  const server = await startServer(off);
  try {
    assert.equal((await fetch(`${server.httpUrl}/metrics`)).status, 404);
  } finally {
    await server.stop();
  }
});

test("https and wss are served with a certificate made at the first start", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tls-"));
  const [https, wss] = [await freePort(), await freePort()];
  const server = await startServer({
    tls_dir: join(folder, "tls"),
    "https.port": https,
    "wss.port": wss,
    rtmp_port: 0,
  });
  try {
    const ca = readFileSync(join(folder, "tls", "cert.pem"), "utf8");
    const asked = request({ host: "127.0.0.1", port: https, path: "/healthz", ca, agent: false });
    const [answer] = await once(asked.end(), "response");
    assert.equal(answer.statusCode, 200);
    answer.resume();
    const socket = new WebSocket(`wss://127.0.0.1:${wss}/`, { ca });
    await once(socket, "open");
    socket.close();
    await once(socket, "close");
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});

/** Flags with random free ports for everything. */
async function quietFlags(): Promise<Record<string, string | number>> {
  return {
    ip_local: "127.0.0.1",
    "ws.port": await freePort(),
    "http.port": await freePort(),
    "wss.port": 0,
    "https.port": 0,
    media_port_from: await freePort(),
    media_port_to: 65_535,
    rtmp_port: 0,
  };
}

const flagsOf = (settings: object): string[] =>
  Object.entries(settings).map(([key, value]) => `--${key}=${value}`);

test("a port that is taken is named with its key, and the program ends", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  t.after(() => holder.close());
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  for (const key of ["ws.port", "http.port"]) {
    const { code, error } = await run(flagsOf({ ...(await quietFlags()), [key]: port }));
    assert.equal(code, 1);
    assert.match(error, new RegExp(`^${key}: port ${port} is already in use$`, "m"));
  }
});

test("a media port that is taken is named with its key, and the program ends", async (t) => {
  const holder = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => holder.close());
  await once(holder, "listening");
  const { port } = holder.address();
  const { code, error } = await run(flagsOf({ ...(await quietFlags()), media_port_from: port }));
  assert.equal(code, 1);
  assert.match(error, new RegExp(`UDP port ${port} cannot be bound \\(media_port_from`));
});

test("a certificate that cannot be read is named with its key", async () => {
  const wrong = { tls_certificate_file: "/none/c.pem", tls_key_file: "/none/k.pem" };
  const settings = { ...(await quietFlags()), "https.port": await freePort(), ...wrong };
  const { code, error } = await run(flagsOf(settings));
  assert.equal(code, 1);
  assert.match(error, /^tls_certificate_file, tls_key_file: ENOENT/m);
});

test("a settings file is checked with line and key, or shown with its secrets hidden", async () => {
  const folder = await mkdtemp(join(tmpdir(), "settings-"));
  const file = join(folder, "a.properties");
  await writeFile(file, "# my server\nhttp.port=no\n");
  const wrong = await run(["--config", file, "--check-config"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.error, /a\.properties:2: http\.port: "no" is not allowed; allowed is an int/);
  await writeFile(file, "rtmp_push_auto_start_url = rtmp://name:hidden@host/app\n");
  const right = await run(["--config", file, "--check-config", "--print-config"]);
  assert.equal(right.code, 0);
  assert.match(right.out, /^rtmp_push_auto_start_url = \[redacted\]$/m);
  assert.doesNotMatch(right.out + right.error, /hidden/);
  await rm(folder, { recursive: true });
});
