import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import Fastify from "fastify";
import { Failure } from "../../base/failure.ts";
import { FAILURES, type FailureCode, fail } from "../../contract/failures.ts";
import { Journal } from "../../control/journal.ts";
import { Registry } from "../../control/registry.ts";
import { StreamService } from "../../control/stream-service.ts";
import { createLogger } from "../../observe/logger.ts";
import { systemClock } from "../../observe/system-clock.ts";
import { whipRoutes } from "./whip-routes.ts";
import { WhipSessions } from "./whip-sessions.ts";

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
const fingerprint = hex(32).match(/../g)?.join(":");
const OFFER = [
  ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"],
  ...[`a=ice-ufrag:${hex(4)}`, `a=ice-pwd:${hex(12)}`, `a=fingerprint:sha-256 ${fingerprint}`],
  ...["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=sendonly", "a=rtpmap:111 opus/48000/2", ""],
].join("\r\n");

/** Routes whose streams find no worker, and who may publish what. */
function routes(token: string, name: string) {
  const full = {
    place: () => {
      throw fail("overloaded", "no media worker has room");
    },
  };
  const limits = { maxStreams: 1, maxPlayers: 1, isDraining: () => false };
  const logger = createLogger("silent");
  const journal = new Journal(() => 0, assert.ifError);
  const streams = new StreamService(new Registry(), full, limits, systemClock, logger, journal);
  const sessions = new WhipSessions(streams, async (wanted, given) => {
    if (given !== token) throw fail("unauthorized", "a publish token is needed");
    if (wanted !== name) throw fail("forbidden", "the token is for another stream");
  });
  const app = Fastify();
  app.setErrorHandler((error, _request, reply) => {
    const code = error instanceof Failure ? (error.code as FailureCode) : "internal";
    return reply.code(FAILURES[code].http).send();
  });
  whipRoutes(app, sessions);
  return app;
}

test("a token is asked for before anything else, by publishing and by every use of a resource", async () => {
  const [token, name] = [hex(16), hex(4)];
  const app = routes(token, name);
  const ask = async (method: "POST" | "PATCH" | "DELETE", url: string, authorization?: string) => {
    const type = method === "PATCH" ? "application/trickle-ice-sdpfrag" : "application/sdp";
    const headers = { "content-type": type, ...(authorization && { authorization }) };
    const payload = method === "DELETE" ? {} : { payload: OFFER };
    return app.inject({ method, url, headers, ...payload });
  };
  for (const [method, url] of [
    ["POST", `/whip/${name}`],
    ["PATCH", `/whip/${name}/${hex(8)}`],
    ["DELETE", `/whip/${name}/${hex(8)}`],
  ] as const) {
    for (const wrong of [undefined, `Bearer ${hex(16)}`, `Basic ${token}`]) {
      const refused = await ask(method, url, wrong);
      assert.equal(refused.statusCode, 401);
      assert.equal(refused.headers["www-authenticate"], "Bearer");
    }
  }
  const bearer = `Bearer ${token}`;
  assert.equal((await ask("POST", `/whip/${hex(4)}`, bearer)).statusCode, 403);
  assert.equal((await ask("DELETE", `/whip/${name}/${hex(8)}`, bearer)).statusCode, 404);
  const full = await ask("POST", `/whip/${name}`, bearer);
  assert.equal(full.statusCode, 503);
  assert.match(String(full.headers["retry-after"]), /^\d+$/);
  await app.close();
});
