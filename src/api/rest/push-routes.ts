import type { FastifyInstance } from "fastify";
import { fail } from "../../contract/failures.ts";
import type { HealthWatch } from "../../control/health-watch.ts";
import type { PushRecord } from "../../control/registry.ts";
import { startWish } from "../../control/start-wish.ts";
import type { TransponderService } from "../../control/transponder-service.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

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
    reconnects: push.reconnects,
    framesLost: push.framesLost,
    outageMs: push.outageMs,
    createDate: push.createdAt,
  };
}

function found(pushes: readonly PushRecord[], health: HealthWatch): Record<string, unknown>[] {
  if (pushes.length === 0) throw fail("pushNotFound", "no push matches");
  return pushes.map((push) => ({ ...transponderObject(push), health: health.of(push) }));
}

/** `/push/*` of WCS. */
export function pushRoutes(
  app: FastifyInstance,
  pushes: TransponderService,
  health: HealthWatch,
): void {
  serve(app, OPERATIONS.pushStartup, async (body) =>
    transponderObject(await pushes.startup(startWish(body.streamName, body))),
  );
  serve(app, OPERATIONS.pushFind, ({ streamName, rtmpUrl }) =>
    found(pushes.find(streamName, rtmpUrl), health),
  );
  serve(app, OPERATIONS.pushFindAll, () => found(pushes.pushes, health));
  serve(app, OPERATIONS.pushTerminate, ({ mediaSessionId }) => pushes.terminate(mediaSessionId));
  serve(app, OPERATIONS.pushMute, ({ mediaSessionId }) => pushes.setMuted(mediaSessionId, true));
  serve(app, OPERATIONS.pushUnmute, ({ mediaSessionId }) => pushes.setMuted(mediaSessionId, false));
  serve(app, OPERATIONS.pushSoundOn, ({ mediaSessionId, soundFile, loop }) =>
    pushes.setSound(mediaSessionId, soundFile, loop),
  );
  serve(app, OPERATIONS.pushSoundOff, ({ mediaSessionId }) =>
    pushes.setSound(mediaSessionId, undefined, false),
  );
}
