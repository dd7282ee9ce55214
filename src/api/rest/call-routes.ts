import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { fail } from "../../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../../contract/ids.ts";
import type { CallRecord, CallService, StartCallWish } from "../../control/call-service.ts";
import type { callStartupBody } from "./call-schemas.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

/** The call object of WCS, and why the call ended. */
export function callObject(call: CallRecord): Record<string, unknown> {
  return {
    custom: call.custom ?? null,
    nodeId: null,
    appKey: call.appKey,
    sessionId: call.session,
    callId: call.callId,
    parentCallId: null,
    incoming: false,
    status: call.status,
    sipStatus: call.sipStatus ?? null,
    rtmpUrl: call.rtmpUrl ?? null,
    rtmpStream: call.rtmpUrl === undefined ? null : call.stream,
    rtmpStreamStatus: null,
    toStream: call.stream,
    caller: call.caller,
    callee: call.callee,
    hasAudio: call.hasAudio,
    hasVideo: call.hasVideo,
    sdp: null,
    visibleName: call.displayName,
    inviteParameters: null,
    mediaProvider: "Flash",
    sipMessageRaw: null,
    isMsrp: false,
    target: null,
    holdForTransfer: false,
    createDate: call.createdAt,
    reason: call.reason ?? null,
  };
}

function startWish(body: z.output<typeof callStartupBody>): StartCallWish {
  const stream = body.toStream ?? body.rtmpStream;
  if (stream === undefined) throw fail("badRequest", "toStream: is missing");
  const login = body.sipLogin ?? "anonymous";
  const domain = body.sipDomain ?? /@([^;?>]+)/.exec(body.callee)?.[1] ?? body.sipOutboundProxy;
  if (domain === undefined) throw fail("badRequest", "sipDomain: is missing");
  return {
    callId: body.callId ?? randomUUID(),
    session: randomUUID() as MediaSessionId,
    stream: stream as StreamName,
    appKey: body.appKey ?? "defaultApp",
    rtmpUrl: body.rtmpUrl,
    custom: body.custom,
    call: {
      callee: body.callee,
      login,
      authenticationName: body.sipAuthenticationName ?? login,
      password: body.sipPassword ?? "",
      displayName: body.visibleName ?? "",
      domain: domain.split(";", 1)[0] ?? "",
      port: body.sipPort ?? 5060,
      outboundProxy: body.sipOutboundProxy,
      register: body.sipRegisterRequired ?? false,
      hasAudio: body.hasAudio ?? true,
      hasVideo: body.hasVideo ?? false,
    },
  };
}

function found(calls: readonly CallRecord[]): Record<string, unknown>[] {
  if (calls.length === 0) throw fail("callNotFound", "no call matches");
  return calls.map(callObject);
}

/** `/call/*` of WCS. */
export function callRoutes(app: FastifyInstance, calls: CallService): void {
  serve(app, OPERATIONS.callStartup, async (body) => {
    if (body.hasAudio === false && body.hasVideo !== true) {
      throw fail("badRequest", "hasAudio: a call needs audio or video");
    }
    await calls.startup(startWish(body));
  });
  serve(app, OPERATIONS.callFind, ({ callId, status, toStream, callee }) =>
    found(
      calls.calls.filter(
        (call) =>
          (callId === undefined || call.callId === callId) &&
          (status === undefined || call.status === status) &&
          (toStream === undefined || call.stream === toStream) &&
          (callee === undefined || call.callee === callee),
      ),
    ),
  );
  serve(app, OPERATIONS.callFindAll, () => found(calls.calls));
  serve(app, OPERATIONS.callTerminate, ({ callId }) => calls.terminate(callId));
  serve(app, OPERATIONS.callSendDtmf, ({ callId, dtmf, type }) =>
    calls.sendTones(callId, dtmf.toUpperCase(), type === "RFC2833" ? "rtp" : "info"),
  );
}
