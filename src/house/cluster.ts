/** This node's place among others. Loaded only where others are configured. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { localRest } from "../api/http-server.ts";
import { callObject } from "../api/rest/call-routes.ts";
import { transponderObject } from "../api/rest/push-routes.ts";
import type { Scope } from "../base/scope.ts";
import { Secret } from "../base/secret.ts";
import type { Announced } from "../cluster/announcements.ts";
import type { Shown } from "../cluster/claims.ts";
import { type ClusterDeps, ClusterNode, elsewhereFailure } from "../cluster/cluster-node.ts";
import { NatsLink } from "../cluster/nats/nats-link.ts";
import type { NatsOptions } from "../cluster/nats/nats-options.ts";
import type { Lease, NodeId } from "../cluster/records.ts";
import type { MediaSessionId, StreamName, TransponderId } from "../contract/ids.ts";
import type { CallRecord } from "../control/call-service.ts";
import type { PushRecord, StreamRecord } from "../control/registry.ts";
import type { SharedNames } from "../control/shared-names.ts";
import { streamView } from "../control/views.ts";
import type { Logger } from "../observe/logger.ts";
import { systemClock } from "../observe/system-clock.ts";
import type { SettingKey, Settings } from "../settings/schema.ts";
import type { Services } from "./services.ts";

/** The start waits so long for the other nodes, and goes on without them. */
const JOIN_PATIENCE_MS = 3000;
const GAP_MS = 1000;
/** A third of the time after which entries expire. */
const REFRESH_MS = 1_200_000;

/** What ties a node to others, before it has anything to tell them. */
export interface Tie {
  readonly node: NodeId;
  readonly link: NatsLink;
}

/** Rejects with an error that names the setting when a file cannot be read. */
export async function openTie(settings: Settings, logger: Logger): Promise<Tie> {
  const node = randomBytes(10).toString("hex") as NodeId;
  return { node, link: new NatsLink(natsOptions(settings), node, logger) };
}

/** Joins the others, or goes on without them until they are reached. */
export async function openCluster(
  settings: Settings,
  services: Services,
  { node, link }: Tie,
  scope: Scope,
): Promise<ClusterNode> {
  const { streams, pushes, journal } = services;
  const cluster = new ClusterNode(
    { node, gapMs: GAP_MS, refreshMs: REFRESH_MS },
    { link, ...deps(settings, services, node) },
  );
  const names: SharedNames = {
    claim: (stream) => cluster.claim(stream.name, shownStream(stream)),
    release: ({ name }) => cluster.release(name),
    elsewhere: (name) => {
      const carrier = cluster.knownCarrier("stream", name);
      return carrier && elsewhereFailure(carrier);
    },
    isPushed: (name) => cluster.elsewhere("push").some(({ view }) => view["streamName"] === name),
  };
  streams.shareNames(names);
  pushes.shareNames(names);
  journal.read(() => cluster.nudge());
  cluster.open();
  scope.onClose(() => cluster.close());
  await cluster.joined(JOIN_PATIENCE_MS);
  return cluster;
}

function deps(settings: Settings, services: Services, node: NodeId): Omit<ClusterDeps, "link"> {
  const { registry, calls, streams, logger } = services;
  const local = localRest({ ...services, clock: systemClock });
  const announced = announcedBy(settings, node);
  return {
    now: () => systemClock.now() / 1000,
    random: Math.random,
    logger,
    lease: () => ({ ...announced, ...load(settings, services) }),
    own: () => ({
      streams: new Map(registry.streams.map((stream) => [stream.name, shownStream(stream)])),
      others: [
        ...registry.pushes.map((push) => shownPush(push, services)),
        ...calls.calls.map(shownCall),
      ],
    }),
    has: (kind, id) => {
      if (kind === "stream") return registry.streamNamed(id as StreamName) !== undefined;
      if (kind === "push") return registry.push(id as TransponderId) !== undefined;
      return calls.calls.some(({ callId }) => callId === id);
    },
    run: (asked) => local.run(asked),
    onLost: (name, by) => {
      const stream = registry.streamNamed(name as StreamName);
      if (stream !== undefined) endLost(streams, stream.session, by);
    },
  };
}

function endLost(streams: Services["streams"], session: MediaSessionId, by: string): void {
  const message = `node ${by} carries a stream of this name, and its claim stands`;
  streams.end(session, { code: "claimLost", message });
}

function shownStream(stream: StreamRecord): Shown {
  const view = streamView(stream);
  return { view, stamp: JSON.stringify(view) };
}

/** What changes all the time is told with what changes now and then. */
function shownPush(push: PushRecord, { health }: Services): Announced {
  const judged = health.of(push);
  const view = { ...transponderObject(push), health: judged };
  const worth = { ...view, health: judged.status, framesLost: 0, outageMs: 0 };
  return { kind: "push", id: push.id, view, stamp: JSON.stringify(worth) };
}

function shownCall(call: CallRecord): Announced {
  const view = callObject(call);
  return { kind: "call", id: call.callId, view, stamp: JSON.stringify(view) };
}

type Load = Pick<Lease, "streams" | "pushes" | "room" | "draining">;

function load(settings: Settings, { registry, pool, readiness }: Services): Load {
  const streams = registry.streams.length;
  const takes = pool.hasRoom && readiness.status === "ready";
  return {
    streams,
    pushes: registry.pushes.length,
    room: takes ? Math.max(0, settings.max_streams - streams) : 0,
    draining: readiness.status === "draining",
  };
}

function announcedBy(settings: Settings, node: NodeId): Pick<Lease, "name" | "http" | "ws"> {
  const host = ownHost(settings);
  return {
    name: settings["cluster.node_name"] ?? `${hostname()}-${node.slice(0, 4)}`,
    http: bare(settings["cluster.advertise_http"]) ?? `http://${host}:${settings["http.port"]}`,
    ws: bare(settings["cluster.advertise_ws"]) ?? `ws://${host}:${settings["ws.port"]}`,
  };
}

const bare = (url: string | undefined): string | undefined => url?.replace(/\/+$/, "");

function ownHost({ ip, ip_local: local }: Settings): string {
  const bound = local === "0.0.0.0" || local === "::" ? undefined : local;
  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  const host = ip ?? bound ?? outside?.address ?? "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function natsOptions(settings: Settings): NatsOptions {
  const credentials = readFile(settings, "cluster.nats_creds_file");
  const ca = readFile(settings, "cluster.nats_ca_file");
  const certificate = readFile(settings, "cluster.nats_certificate_file");
  const key = readFile(settings, "cluster.nats_key_file");
  const servers = settings["cluster.nats_url"];
  // Given, it is insisted on.
  const tls = ca ?? certificate ?? servers.find((server) => server.startsWith("tls://"));
  return {
    servers,
    user: settings["cluster.nats_user"],
    password: settings["cluster.nats_password"],
    token: settings["cluster.nats_token"],
    credentials: credentials === undefined ? undefined : new Secret(credentials),
    nkey: settings["cluster.nats_nkey"],
    tls: tls === undefined ? undefined : { ca, certificate, key },
    cluster: settings["cluster.name"],
    replicas: settings["cluster.nats_replicas"],
    requestTimeoutMs: settings["cluster.request_timeout_ms"],
  };
}

type FileKey = Extract<SettingKey, `cluster.nats_${string}_file`>;

function readFile(settings: Settings, key: FileKey): string | undefined {
  const path = settings[key];
  try {
    return path === undefined ? undefined : readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`);
  }
}
