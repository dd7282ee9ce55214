import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { fail } from "../../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../../contract/ids.ts";
import type { Access } from "../../control/access.ts";
import type { StreamService } from "../../control/stream-service.ts";

const SDP = "application/sdp";
const NAME = /^[^\p{Cc}/?#]{1,200}$/u;

/** WHIP (RFC 9725): a POST publishes, a DELETE of the resource ends it. */
export function whipRoutes(app: FastifyInstance, streams: StreamService, access: Access): void {
  app.addContentTypeParser(SDP, { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.options("/whip/:name", async (_request, reply) =>
    reply.header("Accept-Post", SDP).code(204).send(),
  );
  app.post<{ Params: { name: string } }>("/whip/:name", async (request, reply) => {
    const { name } = request.params;
    if (!NAME.test(name)) throw fail("badRequest", "the stream name in the path is not usable");
    access.checkPublishToken(/^bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1]);
    if (typeof request.body !== "string") return reply.code(415).send();
    const session = randomUUID() as MediaSessionId;
    const answer = await streams.publish(
      {
        session,
        name: name as StreamName,
        offer: request.body,
        bitrate: { start: 0, min: 0, max: 0 },
        hasAudio: /^m=audio /m.test(request.body),
        hasVideo: /^m=video /m.test(request.body),
        rtmpUrl: undefined,
        owner: { sessionId: session, appKey: "whip", door: "whip" },
      },
      { onLive: () => undefined, onEnded: () => undefined },
    );
    return reply
      .code(201)
      .header("Location", `/whip/${encodeURIComponent(name)}/${session}`)
      .header("ETag", `"${session}"`)
      .type(SDP)
      .send(answer);
  });
  app.delete<{ Params: { session: string } }>("/whip/:name/:session", async (request, reply) => {
    const session = request.params.session as MediaSessionId;
    const ours = streams.streams.some((s) => s.session === session && s.owner.door === "whip");
    if (!ours) throw fail("sessionNotFound", "there is no such resource");
    streams.end(session, { code: "publisherStopped", message: "the publisher deleted it" });
    return reply.code(200).send();
  });
}
