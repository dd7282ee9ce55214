import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { createHttpServer, type HttpServerOptions } from "./api/http-server.ts";
import { WcsServer } from "./api/wcs/wcs-server.ts";
import { Scope } from "./base/scope.ts";
import type { WorkerEvent } from "./contract/messages.ts";
import { Registry } from "./control/registry.ts";
import { StreamService } from "./control/stream-service.ts";
import { TransponderService } from "./control/transponder-service.ts";
import { WorkerPool } from "./control/worker-pool.ts";
import { createLogger, type Logger } from "./observe/logger.ts";
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
const MAX_UTILISATION = 0.9;
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
      maxUtilisation: MAX_UTILISATION,
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
  await pool.start({
    onEvent: (_worker, event) => dispatch(event, streams, pushes),
    onDied: (worker) => {
      pushes.onWorkerDied(worker);
      streams.onWorkerDied(worker);
    },
  });
  scope.onClose(() => pool.close({ code: "shuttingDown", message: "the server is stopping" }));
  return { streams, pushes, logger };
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
  if (certificate === undefined || key === undefined) return ownCertificate(settings.tls_dir);
  return readCertificate(certificate, key);
}

interface DoorParts {
  readonly receiver: LocalReceiver | undefined;
  readonly certificate: Certificate | undefined;
}

async function openDoors(
  settings: Settings,
  { streams, pushes, logger }: Services,
  { receiver, certificate }: DoorParts,
  scope: Scope,
): Promise<void> {
  const host = settings.ip_local ?? "::";
  const services = { streams, pushes, clock: systemClock, logger };
  const wcs = new WcsServer(wcsOptions(settings), streams, systemClock, logger);
  scope.onClose(() => wcs.close());
  for (const secure of [false, true]) {
    if (secure && certificate === undefined) continue;
    const tls = secure ? certificate : undefined;
    const wsKey = secure ? "wss.port" : "ws.port";
    const httpKey = secure ? "https.port" : "http.port";
    if (settings[wsKey] > 0) {
      const server = tls ? createHttps({ cert: tls.certificate, key: tls.key }) : createHttp();
      server.on("request", (_request, response) => response.writeHead(426).end());
      wcs.attach(server as Server);
      await listen(server as Server, settings[wsKey], host, wsKey, scope);
    }
    if (settings[httpKey] > 0) {
      const app = createHttpServer(httpOptions(settings, receiver, tls), services);
      await listenApp(app, settings[httpKey], host, httpKey, scope);
    }
  }
}

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

function portError(error: NodeJS.ErrnoException, port: number, key: SettingKey): Error {
  const what = error.code === "EADDRINUSE" ? "is already in use" : error.message;
  return new Error(`${key}: port ${port} ${what}`);
}

function listen(
  server: Server,
  port: number,
  host: string,
  key: SettingKey,
  scope: Scope,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(portError(error, port, key)));
    server.listen(port, host, () => {
      scope.onClose(() => {
        server.close();
        server.closeAllConnections();
      });
      resolve();
    });
  });
}

async function listenApp(
  app: FastifyInstance,
  port: number,
  host: string,
  key: SettingKey,
  scope: Scope,
): Promise<void> {
  try {
    await app.listen({ port, host });
  } catch (error) {
    throw portError(error as NodeJS.ErrnoException, port, key);
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
