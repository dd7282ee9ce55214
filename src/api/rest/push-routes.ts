import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { fail } from "../../contract/failures.ts";
import type { VideoWish } from "../../contract/messages.ts";
import type { PushRecord } from "../../control/registry.ts";
import type { TransponderService } from "../../control/transponder-service.ts";
import { readBody } from "./body.ts";
import { findBody, pushIdBody, soundBody, startupBody } from "./schemas.ts";

type Startup = z.output<typeof startupBody>;

/** The transponder object of WCS, and what it does not know: state, attempts, last error. */
export function transponderObject(push: PushRecord): Record<string, unknown> {
  return {
    width: 0,
    height: 0,
    ...push.echo,
    mediaSessionId: push.id,
    streamName: push.publishedName,
    rtmpUrl: push.rtmpUrl,
    muted: push.muted,
    soundEnabled: push.sound !== undefined,
    options: push.echo["options"] ?? {},
    sourceStreamName: push.sourceName,
    state: push.state.kind,
    attempt: "attempt" in push.state ? push.state.attempt : 0,
    lastError: push.lastError ?? null,
    createDate: push.createdAt,
  };
}

function videoWish(body: Startup): VideoWish {
  const { width = 0, height = 0, bitrate = 0, fps = 0, keyFrameInterval = 0 } = body;
  return { width, height, bitrate, fps, keyFrameInterval };
}

function startWish(body: Startup) {
  const { streamName, rtmpUrl, rtmpTransponderFullUrl, rtmpFlashVersion, options, ...rest } = body;
  return {
    streamName,
    rtmpUrl,
    fullUrl: rtmpTransponderFullUrl,
    flashVersion: rtmpFlashVersion,
    options,
    video: videoWish(body),
    echo: { ...rest, options: options ?? {} },
  };
}

function found(pushes: readonly PushRecord[]): Record<string, unknown>[] {
  if (pushes.length === 0) throw fail("pushNotFound", "no push matches");
  return pushes.map(transponderObject);
}

/** `/push/*` of WCS. Void operations answer 200 with an empty body. */
export function pushRoutes(app: FastifyInstance, pushes: TransponderService): void {
  app.post("/push/startup", async (request) =>
    transponderObject(await pushes.startup(startWish(readBody(startupBody, request.body)))),
  );
  app.post("/push/find", async (request) => {
    const { streamName, rtmpUrl } = readBody(findBody, request.body);
    return found(pushes.find(streamName, rtmpUrl));
  });
  app.route({
    method: ["GET", "POST"],
    url: "/push/find_all",
    handler: async () => found(pushes.pushes),
  });
  app.post("/push/terminate", async (request, reply) => {
    await pushes.terminate(readBody(pushIdBody, request.body).mediaSessionId);
    return reply.send();
  });
  for (const muted of [true, false]) {
    app.post(muted ? "/push/mute" : "/push/unmute", async (request, reply) => {
      await pushes.setMuted(readBody(pushIdBody, request.body).mediaSessionId, muted);
      return reply.send();
    });
  }
  app.post("/push/sound_on", async (request, reply) => {
    const { mediaSessionId, soundFile, loop } = readBody(soundBody, request.body);
    await pushes.setSound(mediaSessionId, soundFile, loop);
    return reply.send();
  });
  app.post("/push/sound_off", async (request, reply) => {
    await pushes.setSound(readBody(pushIdBody, request.body).mediaSessionId, undefined, false);
    return reply.send();
  });
}
