/** What stands before the routes: rates per client address, and credentials. */
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fail } from "../contract/failures.ts";
import type { Access } from "../control/access.ts";

export interface RateOptions {
  /** Requests of one client address in a second; 0 is without limit. */
  readonly requestsPerSecond: number;
  /** Wrong credentials of one client address in a minute, after which none are looked at. */
  readonly failuresPerMinute: number;
  /** Dry runs of one client address in a minute. */
  readonly checksPerMinute: number;
}

type Check = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const SECOND = 1000;
const MINUTE = 60_000;

/** Limits every request of `app`, whether there is such a path or not. */
export function limitRate(app: FastifyInstance, { requestsPerSecond }: RateOptions): void {
  app.register(rateLimit, { global: false });
  if (requestsPerSecond === 0) return;
  let limit: Check | undefined;
  app.addHook("onRequest", async (request, reply) => {
    limit ??= rateCheck(app, requestsPerSecond, SECOND);
    await limit(request, reply);
  });
}

/** A check that refuses with 429 and the time to wait; only after `limitRate` is ready. */
function rateCheck(app: FastifyInstance, max: number, timeWindow: number): Check {
  const take = app.createRateLimit({ max, timeWindow });
  return async (request, reply) => {
    const outcome = await take(request);
    if (!outcome.isAllowed && outcome.isExceeded) throw tooMany(reply, outcome.ttl);
  };
}

/** As `rateCheck`, for one route. */
export function perMinute(app: FastifyInstance, max: number): Check {
  let limit: Check | undefined;
  return async (request, reply) => {
    limit ??= rateCheck(app, max, MINUTE);
    await limit(request, reply);
  };
}

/** Asks for credentials before every route of `app`. Whoever guesses is soon no longer listened to. */
export function requireCredentials(
  app: FastifyInstance,
  access: Access,
  { failuresPerMinute }: RateOptions,
): void {
  if (access.challenges.length === 0) return;
  let failures: ReturnType<FastifyInstance["createRateLimit"]> | undefined;
  app.addHook("onRequest", async (request, reply) => {
    const { authorization } = request.headers;
    failures ??= app.createRateLimit({ max: failuresPerMinute, timeWindow: MINUTE });
    const before = await failures(request, { increment: false });
    if (!before.isAllowed && before.remaining === 0) throw tooMany(reply, before.ttl);
    try {
      access.checkRest(authorization);
    } catch (error) {
      reply.header("WWW-Authenticate", access.challenges);
      if (authorization !== undefined) await failures(request);
      throw error;
    }
  });
}

function tooMany(reply: FastifyReply, waitMs: number): Error {
  reply.header("Retry-After", String(Math.max(1, Math.ceil(waitMs / SECOND))));
  return fail("tooMany", "too many requests from this address");
}
