/** The servers that listen for clients: RTMP; WebSocket, REST, WHIP and the page, plain and over TLS. */
import { existsSync } from "node:fs";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp, isIP, type Server as TcpServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { createHttpServer, type HttpServerOptions } from "../api/http-server.ts";
import { WcsServer } from "../api/wcs/wcs-server.ts";
import { WhipSessions } from "../api/whip/whip-sessions.ts";
import type { Scope } from "../base/scope.ts";
import type { Access } from "../control/access.ts";
import { systemClock } from "../observe/system-clock.ts";
import type { Certificate } from "../settings/certificate.ts";
import type { SettingKey, Settings } from "../settings/schema.ts";
import { openEvents, openMetrics, type Seen } from "./observation.ts";
import type { Services } from "./services.ts";

/** Any application is taken; this one is shown. */
const RTMP_APP = "live";
const HERE = dirname(fileURLToPath(import.meta.url));

/** The folder of package.json, above `src` or `dist/src`. */
function projectRoot(): string {
  for (let folder = HERE; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  throw new Error("package.json is nowhere above the program");
}

/** Opens every door; rejects with an error that names the setting when a port is taken. */
export async function openDoors(
  settings: Settings,
  services: Seen,
  certificate: Certificate | undefined,
  scope: Scope,
): Promise<void> {
  const { access } = services;
  const wcs = new WcsServer(wcsOptions(settings), { ...services, clock: systemClock });
  scope.onClose(() => wcs.close());
  const whip = new WhipSessions(services.streams, (_name, token) =>
    access.checkPublishToken(token),
  );
  const events = openEvents(settings, services);
  scope.onClose(() => events.close());
  const metrics = openMetrics(settings, services, events, () => wcs.sessions);
  const openHttp = async (key: SettingKey, port: number, tls: Certificate | undefined) => {
    if (port === 0) return;
    const options = httpOptions(settings, access, tls);
    const app = createHttpServer(options, {
      ...services,
      events,
      whip,
      metrics,
      clock: systemClock,
    });
    await listenApp(app, { port, host: hostOf(settings), key }, scope);
  };
  const openWs = async (key: SettingKey, port: number, tls: Certificate | undefined) => {
    if (port === 0) return;
    const server = tls ? createHttps({ cert: tls.certificate, key: tls.key }) : createHttp();
    server.on("request", (_request, response) => response.writeHead(426).end());
    wcs.attach(server as Server);
    await listen(server as Server, { port, host: hostOf(settings), key }, scope);
  };
  await openRtmp(settings, services, scope);
  await openWs("ws.port", settings["ws.port"], undefined);
  await openHttp("http.port", settings["http.port"], undefined);
  if (certificate === undefined) return;
  await openWs("wss.port", settings["wss.port"], certificate);
  await openHttp("https.port", settings["https.port"], certificate);
}

/** Hands every RTMP client to a media worker before a byte of it was read. */
async function openRtmp(settings: Settings, { pool }: Services, scope: Scope): Promise<void> {
  const port = settings.rtmp_port;
  if (port === 0) return;
  const server = createTcp({ pauseOnConnect: true }, (socket) => pool.adopt(socket));
  await listen(server, { port, host: hostOf(settings), key: "rtmp_port" }, scope);
}

/** Where programs of this machine publish to, and pushes that are to be seen at once go. */
export function ownRtmpUrl({ rtmp_port: port, ip_local: host }: Settings): string | undefined {
  const name = host === undefined || isIP(host) !== 4 || host === "0.0.0.0" ? "127.0.0.1" : host;
  return port === 0 ? undefined : `rtmp://${name}:${port}/${RTMP_APP}`;
}

const hostOf = (settings: Settings): string => settings.ip_local ?? "::";

function wcsOptions(settings: Settings) {
  return {
    maxSessions: settings.max_sessions,
    maxStreamsPerSession: settings.max_streams_per_session,
    maxArrivalsPerMinute: settings.ws_max_connections_per_minute,
    maxMessageBytes: settings.ws_max_message_bytes,
    maxMessagesPerSecond: settings.ws_max_messages_per_second,
    pingIntervalMs: settings["keep_alive.server_interval"],
    pingProbes: settings["keep_alive.probes"],
  };
}

function httpOptions(
  settings: Settings,
  access: Access,
  tls: Certificate | undefined,
): HttpServerOptions {
  const restAuth = access.challenges.map((challenge) => challenge.split(" ", 1)[0] ?? "");
  const root = projectRoot();
  return {
    maxBodyBytes: settings.http_max_body_bytes,
    rates: {
      requestsPerSecond: settings.http_max_requests_per_second,
      failuresPerMinute: settings.rest_auth_failures_per_minute,
      checksPerMinute: settings.push_checks_per_minute,
    },
    cors: {
      origin: settings.rest_access_control_allow_origin,
      headers: [
        settings.rest_access_control_allow_headers,
        ...(restAuth.length > 0 ? ["authorization"] : []),
      ].join(","),
      methods: settings.rest_access_control_allow_methods,
    },
    tls,
    webRoot: join(root, "dist", "web"),
    sdkRoot: join(root, "node_modules", "@flashphoner", "websdk"),
    page: {
      wsPort: settings["ws.port"],
      wssPort: settings["wss.port"] || null,
      ownRtmpUrl: ownRtmpUrl(settings) ?? null,
      restAuth: restAuth.map((scheme) => scheme.toLowerCase()),
      publishToken: access.publishersNeedToken,
    },
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

function listen(server: Server | TcpServer, listening: Listening, scope: Scope): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(portError(error, listening)));
    server.listen(listening.port, listening.host, () => {
      scope.onClose(() => {
        server.close();
        if ("closeAllConnections" in server) server.closeAllConnections();
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
