import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../contract/ids.ts";
import type { StreamService } from "../control/stream-service.ts";

type Preview = { Params: { app: string; file: string } };

const GONE = { code: "playerStopped", message: "the player has gone" } as const;

/**
 * Plays any stream as HTTP-FLV: `/preview/<app>/<stream>.flv`; streams have their names in every app. Who wants
 * a stream of another node is sent there.
 */
export function previewRoute(
  app: FastifyInstance,
  streams: StreamService,
  cluster: ClusterNode | undefined,
): void {
  app.get<Preview>("/preview/:app/:file", async (request, reply) => {
    const name = /^(.+)\.flv$/.exec(request.params.file)?.[1];
    if (name === undefined) throw fail("streamNotFound", "the path does not end in .flv");
    const away = cluster?.knownCarrier("stream", name)?.http;
    if (typeof away === "string") return reply.redirect(`${away}${request.url}`, 307);
    const session = randomUUID() as MediaSessionId;
    const owner = { sessionId: session, appKey: "flv", door: "flv" } as const;
    let end: () => void = () => undefined;
    const { port } = await streams.watch(
      { session, name: name as StreamName, owner },
      { onLive: () => undefined, onEnded: () => end() },
      ({ worker, source }) => worker.request("flv.open", { session, source }),
    );
    end = handOn(port, session, reply);
    reply.raw.once("close", () => streams.end(session, GONE));
    return reply;
  });
}

/** Hands on what the worker plays on loopback; returns how to end it. */
function handOn(port: number, session: string, reply: FastifyReply): () => void {
  reply.hijack();
  const upstream = httpRequest({ host: "127.0.0.1", port, path: `/${session}` }, (answer) => {
    reply.raw.writeHead(answer.statusCode ?? 502, {
      ...reply.getHeaders(),
      "content-type": answer.headers["content-type"] ?? "video/x-flv",
      "cache-control": "no-store",
    } as Record<string, string>);
    answer.pipe(reply.raw);
  });
  upstream.on("error", () => reply.raw.destroy());
  reply.raw.once("close", () => upstream.destroy());
  upstream.end();
  return () => reply.raw.end();
}
