import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { Failure } from "../../base/failure.ts";
import { bearerToken } from "../../protocol/whip/bearer.ts";
import type { WhipSessions, WhipTarget } from "./whip-sessions.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const ENDPOINT = "/whip/:name";
const RESOURCE = "/whip/:name/:session";
/** Reserved for future versions of the protocol (RFC 9725, section 4.2). */
const NOT_OF_ENDPOINT: HTTPMethods[] = ["GET", "PUT", "PATCH", "DELETE"];
const NOT_OF_RESOURCE: HTTPMethods[] = ["GET", "PUT", "POST"];
const RETRY_AFTER_SECONDS = "5";
/** Headers that say more about a refusal. */
const REFUSALS: Readonly<Record<string, readonly [string, string]>> = {
  unauthorized: ["WWW-Authenticate", "Bearer"],
  overloaded: ["Retry-After", RETRY_AFTER_SECONDS],
  draining: ["Retry-After", RETRY_AFTER_SECONDS],
  shuttingDown: ["Retry-After", RETRY_AFTER_SECONDS],
};

/** Refusals that another node may not have. */
const FULL: ReadonlySet<string> = new Set(["overloaded", "draining", "shuttingDown"]);
/** Marks the address of who was sent on once: nobody is sent round in circles. */
const SENT_ON = "sent-on";

type Endpoint = { Params: { name: string }; Querystring: Readonly<Record<string, unknown>> };
type Resource = { Params: { name: string; session: string } };

const refusal = (statusCode: number, message: string): Error =>
  Object.assign(new Error(message), { statusCode });

const targetOf = (request: FastifyRequest<Resource>): WhipTarget => ({
  ...request.params,
  token: bearerToken(request.headers.authorization),
});

/**
 * WHIP (RFC 9725): a POST publishes, a PATCH tells candidates, a DELETE of the resource ends it. Who finds no
 * room here is sent to the base URL of a node that `roomElsewhere` knows (section 4.5).
 */
export function whipRoutes(
  app: FastifyInstance,
  sessions: WhipSessions,
  roomElsewhere: () => string | undefined = () => undefined,
): void {
  app.register((whip, _options, done) => {
    whip.removeAllContentTypeParsers();
    whip.addContentTypeParser([SDP, FRAGMENT], { parseAs: "string" }, (_request, body, ready) =>
      ready(null, body),
    );
    whip.setErrorHandler((error, _request, reply) => {
      const header = error instanceof Failure ? REFUSALS[error.code] : undefined;
      if (header !== undefined) reply.header(...header);
      throw error;
    });
    preflight(whip, ENDPOINT, { methods: "POST, OPTIONS", accept: ["Accept-Post", SDP] });
    preflight(whip, RESOURCE, {
      methods: "PATCH, DELETE, OPTIONS",
      accept: ["Accept-Patch", FRAGMENT],
    });
    refuseMethods(whip, ENDPOINT, NOT_OF_ENDPOINT, "POST, OPTIONS");
    refuseMethods(whip, RESOURCE, NOT_OF_RESOURCE, "PATCH, DELETE, OPTIONS");
    operations(whip, sessions, roomElsewhere);
    done();
  });
}

function operations(
  app: FastifyInstance,
  sessions: WhipSessions,
  roomElsewhere: () => string | undefined,
): void {
  app.post<Endpoint>(ENDPOINT, async (request, reply) => {
    const { name } = request.params;
    const token = bearerToken(request.headers.authorization);
    const published = await sessions.publish(name, token, text(request, SDP)).catch((error) => {
      const full = error instanceof Failure && FULL.has(error.code);
      const place = full && !(SENT_ON in request.query) ? roomElsewhere() : undefined;
      if (place === undefined) throw error;
      return `${place}/whip/${encodeURIComponent(name)}?${SENT_ON}`;
    });
    if (typeof published === "string") return reply.redirect(published, 307);
    const { session, entityTag, answer } = published;
    return reply
      .code(201)
      .headers({ Location: `/whip/${encodeURIComponent(name)}/${session}`, ETag: entityTag })
      .type(SDP)
      .send(answer);
  });
  app.patch<Resource>(RESOURCE, async (request, reply) => {
    const body = text(request, FRAGMENT);
    const ifMatch = request.headers["if-match"];
    const verdict = await sessions.patch(targetOf(request), { ifMatch, body });
    if (verdict.status === 204) return reply.code(204).send();
    throw refusal(verdict.status, verdict.message);
  });
  app.delete<Resource>(RESOURCE, async (request, reply) => {
    await sessions.remove(targetOf(request));
    return reply.code(200).send();
  });
}

/** The body, which must be of that type. */
function text(request: FastifyRequest, type: string): string {
  const given = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (given !== type) throw refusal(415, `Content-Type: only ${type} is taken here`);
  return typeof request.body === "string" ? request.body : "";
}

function preflight(
  app: FastifyInstance,
  url: string,
  allowed: { readonly methods: string; readonly accept: readonly [string, string] },
): void {
  app.options(url, async (_request, reply) =>
    reply
      .headers({
        "Access-Control-Allow-Methods": allowed.methods,
        "Access-Control-Allow-Headers": "content-type, authorization, if-match",
        [allowed.accept[0]]: allowed.accept[1],
      })
      .code(200)
      .send(),
  );
}

function refuseMethods(
  app: FastifyInstance,
  url: string,
  methods: HTTPMethods[],
  allow: string,
): void {
  const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    reply.header("Allow", allow);
    throw refusal(405, `${request.method} is not used here`);
  };
  // Before the body is read: whatever its type, the method is what is wrong.
  app.route({ method: methods, url, onRequest: refuse, handler: refuse });
}
