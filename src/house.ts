import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { createHttpServer, type HttpServerOptions } from "./api/http-server.ts";
import { metricsRoute } from "./api/metrics-route.ts";
import { WcsServer } from "./api/wcs/wcs-server.ts";
import { Scope } from "./base/scope.ts";
import type { WorkerEvent } from "./contract/messages.ts";
import { Registry } from "./control/registry.ts";
import { StreamService } from "./control/stream-service.ts";
import { TransponderService } from "./control/transponder-service.ts";
import { WorkerPool } from "./control/worker-pool.ts";
import type { WorkerListener } from "./control/workers.ts";
import { createLogger, type Logger } from "./observe/logger.ts";
import { type Figures, Metrics } from "./observe/metrics.ts";
import { systemClock } from "./observe/system-clock.ts";
import { type LocalReceiver, startReceiver } from "./receiver/receiver.ts";
import { type Certificate, ownCertificate, readCertificate } from "./settings/certificate.ts";
import type { SettingKey, Settings } from "./settings/schema.ts";
import { workerOptions } from "./settings/slices.ts";

/** The running server. */
export interface House {
  /** Addresses, for a person. */
  readonly banner: string;
  /** Drains the workers, then ends everything. */
  close(): Promise<void>;
}

const RECEIVER_APP = "live";
const MEGABYTE = 1 << 20;
const HERE = dirname(fileURLToPath(import.meta.url));
const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** The folder of package.json, above `src` or `dist/src`. */
function projectRoot(): string {
  for (let folder = HERE; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new Error("package.json is nowhere above the program");
}

/** Starts everything. Rejects with an error that names the setting when a port or file is the cause. */
export async function startHouse(settings: Settings): Promise<House> {
  const scope = new Scope();
  const logger = createLogger(settings.log_level);
  try {
    const receiver = await openReceiver(settings, scope, logger);
    const services = await openServices(settings, scope, logger);
    const certificate = await openCertificate(settings);
    await openDoors(settings, services, { receiver, certificate }, scope);
    return { banner: banner(settings, receiver), close: () => scope.close() };
  } catch (error) {
    await scope.close();
    throw error;
  }
}

async function openReceiver(
  settings: Settings,
  scope: Scope,
  logger: Logger,
): Promise<LocalReceiver | undefined> {
  if (!settings.local_receiver_enabled) return undefined;
  const receiver = await startReceiver({
    rtmpPort: settings.local_receiver_rtmp_port,
    httpPort: settings.local_receiver_http_port,
  });
  scope.onClose(() => receiver.close());
  void receiver.ended.then((how) => {
    if (!scope.closed) logger.warn({ how }, "local receiver ended");
  });
  return receiver;
}

interface Services {
  readonly registry: Registry;
  readonly pool: WorkerPool;
  readonly streams: StreamService;
  readonly pushes: TransponderService;
  readonly logger: Logger;
}

async function openServices(settings: Settings, scope: Scope, logger: Logger): Promise<Services> {
  const registry = new Registry();
  const extraCa = settings.rtmps_ca_file && readText(settings.rtmps_ca_file, "rtmps_ca_file");
  const count = settings.workers;
  const pool = new WorkerPool(
    {
      entry: new URL(`./worker/worker-main.${EXTENSION}`, import.meta.url),
      workers: Array.from({ length: count }, (_, i) => workerOptions(settings, i, extraCa)),
      maxUtilisation: settings.worker_max_busy_percent / 100,
      maxResidentBytes: settings.worker_max_memory_mb * MEGABYTE || undefined,
    },
    logger,
  );
  const limits = { maxStreams: settings.max_streams, maxPlayers: settings.max_players };
  const streams = new StreamService(registry, pool, limits, systemClock, logger);
  const pushes = new TransponderService(
    registry,
    {
      namePrefix: settings.rtmp_transponder_stream_name_prefix,
      fullUrl: settings.rtmp_transponder_full_url,
      mediaDirectory: resolve(settings.media_dir),
      maxPushes: settings.max_pushes,
      autoStartUrl: settings.rtmp_push_auto_start
        ? settings.rtmp_push_auto_start_url?.reveal()
        : undefined,
    },
    systemClock,
    logger,
  );
  streams.setHooks({
    onStreamLive: (stream) => pushes.onStreamLive(stream),
    onStreamEnded: ({ session }, reason) => pushes.onStreamEnded(session, reason),
  });
  scope.onClose(() => pool.close({ code: "shuttingDown", message: "the server is stopping" }));
  const listener: WorkerListener = {
    onEvent: (_worker, event) => dispatch(event, streams, pushes),
    onDied: (worker) => {
      pushes.onWorkerDied(worker);
      streams.onWorkerDied(worker);
    },
  };
  await pool.start(listener).catch((error: Error) => {
    throw new Error(`media worker: ${error.message} (media_port_from, ip_local)`);
  });
  return { registry, pool, streams, pushes, logger };
}

function dispatch(event: WorkerEvent, streams: StreamService, pushes: TransponderService): void {
  if (event.kind === "publish.state") streams.onPublishState(event.session, event.state);
  else if (event.kind === "play.state") streams.onPlayState(event.session, event.state);
  else if (event.kind === "push.state") pushes.onPushState(event.push, event.state);
  else if (event.kind === "push.soundEnded") pushes.onSoundEnded(event.push);
  else streams.onVideoSize(event.session, event.width, event.height);
}

async function openCertificate(settings: Settings): Promise<Certificate | undefined> {
  if (settings["wss.port"] === 0 && settings["https.port"] === 0) return undefined;
  const { tls_certificate_file: certificate, tls_key_file: key } = settings;
  try {
    if (certificate === undefined || key === undefined)
      return await ownCertificate(settings.tls_dir);
    return await readCertificate(certificate, key);
  } catch (error) {
    const keys = certificate === undefined ? "tls_dir" : "tls_certificate_file, tls_key_file";
    throw new Error(`${keys}: ${(error as Error).message}`);
  }
}

interface DoorParts {
  readonly receiver: LocalReceiver | undefined;
  readonly certificate: Certificate | undefined;
}

async function openDoors(
  settings: Settings,
  services: Services,
  { receiver, certificate }: DoorParts,
  scope: Scope,
): Promise<void> {
  const { streams, logger } = services;
  const wcs = new WcsServer(wcsOptions(settings), streams, systemClock, logger);
  scope.onClose(() => wcs.close());
  const metrics = settings.metrics_enabled
    ? new Metrics(() => figures(services, wcs.sessions))
    : undefined;
  const openHttp = async (key: SettingKey, port: number, tls: Certificate | undefined) => {
    if (port === 0) return;
    const options = httpOptions(settings, receiver, tls);
    const app = createHttpServer(options, { ...services, clock: systemClock });
    if (metrics !== undefined) metricsRoute(app, metrics);
    await listenApp(app, { port, host: hostOf(settings), key }, scope);
  };
  const openWs = async (key: SettingKey, port: number, tls: Certificate | undefined) => {
    if (port === 0) return;
    const server = tls ? createHttps({ cert: tls.certificate, key: tls.key }) : createHttp();
    server.on("request", (_request, response) => response.writeHead(426).end());
    wcs.attach(server as Server);
    await listen(server as Server, { port, host: hostOf(settings), key }, scope);
  };
  await openWs("ws.port", settings["ws.port"], undefined);
  await openHttp("http.port", settings["http.port"], undefined);
  if (certificate === undefined) return;
  await openWs("wss.port", settings["wss.port"], certificate);
  await openHttp("https.port", settings["https.port"], certificate);
}

const hostOf = (settings: Settings): string => settings.ip_local ?? "::";

/** What a scrape of the metrics reads. */
const figures = ({ registry, pool }: Services, sessions: number): Figures => ({
  streams: registry.streams.length,
  players: registry.players.length,
  sessions,
  pushStates: registry.pushes.map(({ state }) => state.kind),
  workerDeaths: pool.deaths,
  workers: pool.stats(),
});

function wcsOptions(settings: Settings) {
  return {
    maxSessions: settings.max_sessions,
    maxStreamsPerSession: settings.max_streams_per_session,
    maxMessageBytes: settings.ws_max_message_bytes,
    maxMessagesPerSecond: settings.ws_max_messages_per_second,
    pingIntervalMs: settings["keep_alive.server_interval"],
    pingProbes: settings["keep_alive.probes"],
  };
}

function httpOptions(
  settings: Settings,
  receiver: LocalReceiver | undefined,
  tls: Certificate | undefined,
): HttpServerOptions {
  const root = projectRoot();
  return {
    maxBodyBytes: settings.http_max_body_bytes,
    cors: {
      origin: settings.rest_access_control_allow_origin,
      headers: settings.rest_access_control_allow_headers,
      methods: settings.rest_access_control_allow_methods,
    },
    tls,
    webRoot: join(root, "dist", "web"),
    sdkRoot: join(root, "node_modules", "@flashphoner", "websdk"),
    page: {
      wsPort: settings["ws.port"],
      wssPort: settings["wss.port"] || null,
      localReceiver:
        receiver === undefined ? null : `rtmp://127.0.0.1:${receiver.rtmpPort}/${RECEIVER_APP}`,
    },
    receiverHttpPort: receiver?.httpPort,
  };
}

/** Where a server listens, and the setting that says so. */
interface Listening {
  readonly port: number;
  readonly host: string;
  readonly key: SettingKey;
}

function portError(error: NodeJS.ErrnoException, { port, key }: Listening): Error {
  const what = error.code === "EADDRINUSE" ? "is already in use" : error.message;
  return new Error(`${key}: port ${port} ${what}`);
}

function listen(server: Server, listening: Listening, scope: Scope): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(portError(error, listening)));
    server.listen(listening.port, listening.host, () => {
      scope.onClose(() => {
        server.close();
        server.closeAllConnections();
      });
      resolve();
    });
  });
}

async function listenApp(app: FastifyInstance, listening: Listening, scope: Scope): Promise<void> {
  try {
    await app.listen({ port: listening.port, host: listening.host });
  } catch (error) {
    throw portError(error as NodeJS.ErrnoException, listening);
  }
  scope.onClose(() => app.close());
}

function readText(path: string, key: SettingKey): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`);
  }
}

function banner(settings: Settings, receiver: LocalReceiver | undefined): string {
  const lines = [
    ["Page", `http://localhost:${settings["http.port"]}/`],
    ["REST", `http://localhost:${settings["http.port"]}/rest-api/`],
    ["WHIP", `http://localhost:${settings["http.port"]}/whip/<stream name>`],
    ["WebSocket", `ws://localhost:${settings["ws.port"]}`],
  ];
  if (settings["https.port"] > 0)
    lines.push(["Page, TLS", `https://localhost:${settings["https.port"]}/`]);
  if (settings["wss.port"] > 0)
    lines.push(["WebSocket, TLS", `wss://localhost:${settings["wss.port"]}`]);
  if (receiver !== undefined) {
    lines.push(["Local receiver", `rtmp://127.0.0.1:${receiver.rtmpPort}/${RECEIVER_APP}`]);
  }
  const text = lines.map(([name = "", url]) => `  ${name.padEnd(16)}${url}`);
  return `Transponder is ready.\n${text.join("\n")}\n`;
}
