import type { FastifyInstance } from "fastify";
import type { EventFeed } from "./event-feed.ts";

/** `GET /events`: server-sent events. `?figures=false` leaves out the figures of each second. */
export function eventsRoute(app: FastifyInstance, feed: EventFeed): void {
  app.get<{ Querystring: { figures?: string } }>("/events", (request, reply) => {
    feed.checkRoom();
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    feed.open(reply.raw, request.query.figures !== "false");
  });
}
