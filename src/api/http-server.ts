import fastifyStatic from "@fastify/static";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyPluginCallback,
  type FastifyReply,
} from "fastify";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/time.ts";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import { FAILURES } from "../contract/failures.ts";
import type { Access } from "../control/access.ts";
import type { CallService } from "../control/call-service.ts";
import type { DestinationChecks } from "../control/destination-checks.ts";
import type { Drain } from "../control/drain.ts";
import type { HealthWatch } from "../control/health-watch.ts";
import type { PushRuleService } from "../control/push-rules/push-rule-service.ts";
import type { Readiness } from "../control/readiness.ts";
import type { StreamService } from "../control/stream-service.ts";
import type { TransponderService } from "../control/transponder-service.ts";
import type { Logger } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import { errorBody, toFailure } from "./error-reply.ts";
import type { EventFeed } from "./events/event-feed.ts";
import { eventsRoute } from "./events/events-route.ts";
import { limitRate, type RateOptions, requireCredentials } from "./guard.ts";
import { metricsRoute } from "./metrics-route.ts";
import { docsRoutes } from "./openapi/docs-routes.ts";
import { previewRoute } from "./preview-route.ts";
import { callRoutes } from "./rest/call-routes.ts";
import { checkRoute } from "./rest/check-route.ts";
import { clusterRoutes } from "./rest/cluster-routes.ts";
import { LocalRest } from "./rest/local-rest.ts";
import { nodeRoutes } from "./rest/node-routes.ts";
import { pushRoutes } from "./rest/push-routes.ts";
import { ruleRoutes } from "./rest/rule-routes.ts";
import { streamRoutes } from "./rest/stream-routes.ts";
import { whipRoutes } from "./whip/whip-routes.ts";
import type { WhipSessions } from "./whip/whip-sessions.ts";

const REST = "/rest-api";

export interface HttpServerOptions {
  readonly maxBodyBytes: number;
  readonly rates: RateOptions;
  readonly cors: { readonly origin: string; readonly headers: string; readonly methods: string };
  /** PEM texts for https; undefined serves http. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** Folder of the built page. */
  readonly webRoot: string;
  /** Folder of the vendor's SDK. */
  readonly sdkRoot: string;
  /** What the page asks for at `/config.json`. */
  readonly page: {
    readonly wsPort: number;
    readonly wssPort: number | null;
    readonly ownRtmpUrl: string | null;
    /** How REST wants to be asked for: `basic`, `bearer`, both, or not at all. */
    readonly restAuth: readonly string[];
    readonly publishToken: boolean;
  };
}

/** What the operations of REST work with. */
export interface RestServices {
  readonly streams: StreamService;
  readonly pushes: TransponderService;
  readonly health: HealthWatch;
  readonly calls: CallService;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HttpServices extends RestServices {
  readonly rules: PushRuleService;
  readonly checks: DestinationChecks;
  readonly events: EventFeed;
  readonly access: Access;
  readonly readiness: Readiness;
  readonly drain: Drain;
  /** Undefined when nobody may see them. */
  readonly metrics: Metrics | undefined;
  readonly whip: WhipSessions;
  /** Undefined for a node that is alone. */
  readonly cluster: ClusterNode | undefined;
}

/** REST, WHIP and the page on one HTTP or HTTPS server; not listening yet. */
export function createHttpServer(
  options: HttpServerOptions,
  services: HttpServices,
): FastifyInstance {
  const { tls } = options;
  const app = Fastify({
    bodyLimit: options.maxBodyBytes,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    ...(tls === undefined ? {} : { https: { cert: tls.certificate, key: tls.key } }),
  }) as unknown as FastifyInstance;
  crossOrigin(app, options.cors);
  limitRate(app, options.rates);
  errors(app, services);
  countRefusals(app, services.metrics);
  emptyBodies(app);
  app.register(
    (open, _options, done) => {
      docsRoutes(open);
      done();
    },
    { prefix: REST },
  );
  app.register((guarded, _options, done) => {
    requireCredentials(guarded, services.access, options.rates);
    guarded.register(restRoutes(services, options.rates), { prefix: REST });
    if (services.metrics !== undefined) metricsRoute(guarded, services.metrics);
    previewRoute(guarded, services.streams, services.cluster);
    done();
  });
  whipRoutes(app, services.whip, () => services.cluster?.roomElsewhere()?.http ?? undefined);
  health(app, services);
  page(app, options);
  return app;
}

const restRoutes =
  (services: HttpServices, rates: RateOptions): FastifyPluginCallback =>
  (rest, _options, done) => {
    const { cluster, events } = services;
    if (cluster !== undefined) clusterRoutes(rest, { cluster, local: localRest(services) }, REST);
    operations(rest, services);
    ruleRoutes(rest, services.rules);
    nodeRoutes(rest, services.drain);
    checkRoute(rest, services.checks, rates.checksPerMinute);
    eventsRoute(rest, events);
    done();
  };

function operations(rest: FastifyInstance, services: RestServices): void {
  const { pushes, streams, calls, health } = services;
  pushRoutes(rest, pushes, health);
  streamRoutes(rest, streams);
  callRoutes(rest, calls);
}

/** The operations without doors: for other nodes, which asked for credentials where the caller came in. */
export function localRest(services: RestServices): LocalRest {
  const app = Fastify() as unknown as FastifyInstance;
  errors(app, services);
  const plugin: FastifyPluginCallback = (rest, _options, done) => {
    operations(rest, services);
    done();
  };
  app.register(plugin, { prefix: REST });
  return new LocalRest(app, REST);
}

const COUNTED: ReadonlySet<number> = new Set([401, 403, 429]);

function countRefusals(app: FastifyInstance, metrics: Metrics | undefined): void {
  app.addHook("onResponse", async (_request, { statusCode }) => {
    if (COUNTED.has(statusCode)) metrics?.refused(statusCode);
  });
}

/** CORS headers on every answer, also on refusals; every preflight is answered. */
function crossOrigin(app: FastifyInstance, cors: HttpServerOptions["cors"]): void {
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers({
      "Access-Control-Allow-Origin": cors.origin,
      "Access-Control-Allow-Credentials": "true",
      "Access-Control-Expose-Headers":
        "Location, ETag, Link, Allow, Accept-Post, Accept-Patch, Retry-After, WWW-Authenticate",
    });
  });
  app.options("/*", async (_request, reply) =>
    reply
      .headers({
        "Access-Control-Allow-Headers": cors.headers,
        "Access-Control-Allow-Methods": `${cors.methods},GET`,
      })
      .code(200)
      .send(),
  );
}

/** A limit on what there is at once leaves no time to name; soon is a fair guess. */
function errors(app: FastifyInstance, { clock, logger }: RestServices): void {
  const refuse = (reply: FastifyReply, status: number, code: string, message: string) => {
    if (status === 429 && !reply.hasHeader("Retry-After")) reply.header("Retry-After", "5");
    return reply
      .code(status)
      .send(
        errorBody(status, code, message, reply.request.url.split("?")[0] ?? "", clock.wallNow()),
      );
  };
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, "noSuchPath", "no such path"));
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const own = error.statusCode;
    if (!(error instanceof Failure) && own !== undefined && own >= 400 && own < 500) {
      return refuse(reply, own, "badRequest", error.message);
    }
    const failure = toFailure(error, logger);
    return refuse(reply, FAILURES[failure.code].http, failure.code, failure.message);
  });
}

/** WCS clients send JSON content types with no body at all. */
function emptyBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(["application/json", "text/plain"]);
  app.addContentTypeParser(
    ["application/json", "text/plain"],
    { parseAs: "string" },
    (_request, body, done) => {
      try {
        done(null, body === "" ? {} : JSON.parse(body as string));
      } catch {
        done(Object.assign(new Error("body: not valid JSON"), { statusCode: 400 }));
      }
    },
  );
}

/** For whoever watches the process: whether it lives, and whether it should be sent streams. */
function health(
  app: FastifyInstance,
  { readiness, cluster }: Pick<HttpServices, "readiness" | "cluster">,
): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const { status, workers } = readiness;
    // A node without contact goes on by itself: it stays ready.
    const others = cluster && { cluster: cluster.connected ? "reached" : "unreachable" };
    return reply.code(status === "ready" ? 200 : 503).send({ status, workers, ...others });
  });
}

function page(app: FastifyInstance, options: HttpServerOptions): void {
  app.get("/config.json", async () => options.page);
  app.register(fastifyStatic, { root: options.webRoot });
  app.register(fastifyStatic, { root: options.sdkRoot, prefix: "/sdk/", decorateReply: false });
}
