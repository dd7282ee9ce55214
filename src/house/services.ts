/** What the doors call: registry, services and the worker processes behind them. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { Scope } from "../base/scope.ts";
import { millis } from "../base/time.ts";
import type { WorkerEvent } from "../contract/messages.ts";
import { Access } from "../control/access.ts";
import { CallService } from "../control/call-service.ts";
import { DestinationChecks } from "../control/destination-checks.ts";
import { Drain } from "../control/drain.ts";
import { HealthWatch } from "../control/health-watch.ts";
import { Journal } from "../control/journal.ts";
import type { PushRuleService } from "../control/push-rules/push-rule-service.ts";
import type { SharedTable } from "../control/push-rules/shared-rule-store.ts";
import { Readiness } from "../control/readiness.ts";
import { Registry } from "../control/registry.ts";
import { RtmpService } from "../control/rtmp-service.ts";
import { StreamService } from "../control/stream-service.ts";
import { TransponderService } from "../control/transponder-service.ts";
import { Webhooks } from "../control/webhooks/webhooks.ts";
import { WorkerPool } from "../control/worker-pool.ts";
import type { WorkerListener } from "../control/workers.ts";
import { machineCpu } from "../machine/cpu-times.ts";
import type { Logger } from "../observe/logger.ts";
import { systemClock } from "../observe/system-clock.ts";
import type { SettingKey, Settings } from "../settings/schema.ts";
import { destinationRules, workerOptions } from "../settings/slices.ts";
import { destinationGuard } from "../transport/rtmp/address-rules.ts";
import { openRules } from "./rules.ts";

const MEGABYTE = 1 << 20;
/** Dry runs at once. */
const MAX_CHECKS = 8;
const HEALTH_INTERVAL_MS = 1000;
const DRAIN_INTERVAL_MS = 250;
const EXTENSION = extname(import.meta.url);

export interface Services {
  readonly registry: Registry;
  readonly journal: Journal;
  readonly pool: WorkerPool;
  readonly readiness: Readiness;
  readonly drain: Drain;
  readonly streams: StreamService;
  readonly pushes: TransponderService;
  readonly rules: PushRuleService;
  readonly checks: DestinationChecks;
  readonly calls: CallService;
  /** Undefined when nobody wants any. */
  readonly webhooks: Webhooks | undefined;
  readonly health: HealthWatch;
  readonly logger: Logger;
  readonly access: Access;
}

/** Starts the workers. `table` is what all nodes of a cluster share. Rejects with an error that names the setting when one cannot start. */
export async function openServices(
  settings: Settings,
  scope: Scope,
  logger: Logger,
  table: SharedTable | undefined,
): Promise<Services> {
  const registry = new Registry();
  const access = openAccess(settings);
  const journal = new Journal(systemClock.wallNow, (error) =>
    logger.error({ error }, "defect in a reader of the journal"),
  );
  const webhooks = openWebhooks(settings, journal, scope, logger);
  const pool = createPool(settings, logger);
  const readiness = new Readiness(() => pool.stats().length);
  const limits = {
    maxStreams: settings.max_streams,
    maxPlayers: settings.max_players,
    isDraining: () => readiness.status === "draining",
  };
  const streams = new StreamService(registry, pool, limits, systemClock, logger, journal);
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
      mayConnect: destinationGuard(destinationRules(settings)),
      refuseOverload: (worker) => pool.refuseOverload(worker),
    },
    systemClock,
    logger,
    journal,
  );
  const calls = new CallService(registry, streams, settings.max_calls, systemClock, logger);
  const rules = await openRules(settings, { registry, pushes, logger, table }, scope);
  streams.setHooks({
    onStreamLive: (stream) => {
      pushes.onStreamLive(stream);
      rules.onStreamLive(stream);
    },
    onStreamEnded: ({ session }, reason) => {
      pushes.onStreamEnded(session, reason);
      rules.onStreamEnded(session);
    },
  });
  scope.onClose(() => pool.close({ code: "shuttingDown", message: "the server is stopping" }));
  const rtmp = new RtmpService(streams, (_name, token) => access.checkPublishToken(token), logger);
  await pool.start(listenerOf({ pool, streams, pushes, calls, rtmp })).catch((error: Error) => {
    throw new Error(`media worker: ${error.message} (media_port_from, ip_local)`);
  });
  const checks = new DestinationChecks(pool, {
    namePrefix: settings.rtmp_transponder_stream_name_prefix,
    fullUrl: settings.rtmp_transponder_full_url,
    timeout: millis(settings.rtmp_connect_timeout_ms),
    maxAtOnce: MAX_CHECKS,
  });
  const drain = openDrain({ readiness, pool, streams, registry, logger }, scope);
  const health = openHealth(registry, pool, scope);
  return {
    ...{ registry, journal, pool, access, readiness, streams, pushes, calls },
    ...{ rules, drain, checks, health, webhooks, logger },
  };
}

function createPool(settings: Settings, logger: Logger): WorkerPool {
  const extraCa = settings.rtmps_ca_file && readText(settings.rtmps_ca_file, "rtmps_ca_file");
  const count = settings.workers;
  return new WorkerPool(
    {
      entry: new URL(`../worker/worker-main${EXTENSION}`, import.meta.url),
      workers: Array.from({ length: count }, (_, i) => workerOptions(settings, i, extraCa)),
      maxUtilisation: settings.worker_max_busy_percent / 100,
      maxCpu: settings.max_cpu_percent / 100,
      clock: systemClock,
      readCpu: machineCpu,
      maxResidentBytes: settings.worker_max_memory_mb * MEGABYTE || undefined,
    },
    logger,
  );
}

/** Closed after the workers, so that the ends of their pushes are told too. */
function openWebhooks(
  settings: Settings,
  journal: Journal,
  scope: Scope,
  logger: Logger,
): Webhooks | undefined {
  const { webhook_url: url, webhook_secret: secret } = settings;
  if (url === undefined) return undefined;
  const webhooks = new Webhooks(
    {
      url,
      secret,
      timeout: millis(settings.webhook_timeout_ms),
      attempts: settings.webhook_attempts,
      retryAfter: millis(settings.webhook_retry_ms),
      capacity: settings.webhook_queue,
    },
    journal,
    { clock: systemClock, logger, random: Math.random, run: randomUUID() },
  );
  scope.onClose(() => webhooks.close());
  return webhooks;
}

function openHealth(registry: Registry, pool: WorkerPool, scope: Scope): HealthWatch {
  const health = new HealthWatch(registry);
  const observe = (): void =>
    health.observe(
      pool.stats().map(({ stats }) => stats),
      systemClock.now() / 1000,
    );
  const timer = setInterval(observe, HEALTH_INTERVAL_MS);
  scope.onClose(() => clearInterval(timer));
  return health;
}

function openDrain(
  parts: Pick<Services, "readiness" | "pool" | "streams" | "registry" | "logger">,
  scope: Scope,
): Drain {
  const drain = new Drain(parts, systemClock, parts.logger);
  const timer = setInterval(() => drain.poll(), DRAIN_INTERVAL_MS);
  scope.onClose(() => clearInterval(timer));
  return drain;
}

function openAccess(settings: Settings): Access {
  const { rest_auth_user: user, rest_auth_password: password, rest_auth_token: token } = settings;
  const basic = password === undefined ? undefined : { user, password };
  return new Access({
    rest: settings.disable_rest_auth ? undefined : { basic, token },
    publishToken: settings.publish_token,
    appKeys: settings.publish_app_keys,
  });
}

interface Told {
  readonly pool: WorkerPool;
  readonly streams: StreamService;
  readonly pushes: TransponderService;
  readonly calls: CallService;
  readonly rtmp: RtmpService;
}

/** Who is told what the workers tell. */
function listenerOf({ rtmp, pool, ...services }: Told): WorkerListener {
  return {
    onEvent: (worker, event) => {
      if (event.kind !== "rtmp.wish") {
        dispatch(event, services);
        return;
      }
      const handle = pool.named(worker);
      if (handle !== undefined) void rtmp.onWish(handle, event.wish);
    },
    onDied: (worker) => {
      services.pushes.onWorkerDied(worker);
      services.streams.onWorkerDied(worker);
    },
  };
}

type MediaEvent = Exclude<WorkerEvent, { readonly kind: "rtmp.wish" }>;

function dispatch(
  event: MediaEvent,
  { streams, pushes, calls }: Pick<Services, "streams" | "pushes" | "calls">,
): void {
  if (event.kind === "publish.state") streams.onPublishState(event.session, event.state);
  else if (event.kind === "play.state") streams.onPlayState(event.session, event.state);
  else if (event.kind === "push.state") pushes.onPushState(event.push, event.state);
  else if (event.kind === "push.soundEnded") pushes.onSoundEnded(event.push);
  else if (event.kind === "call.state") calls.onProgress(event.session, event.progress);
  else if (event.kind === "publish.codecs") {
    streams.onCodecs(event.session, event.audioCodec, event.videoCodec);
  } else streams.onVideoSize(event.session, event.width, event.height);
}

function readText(path: string, key: SettingKey): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`);
  }
}
