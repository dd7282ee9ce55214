/** What other nodes carry, sifted as this node sifts its own: by the objects that REST shows. */
import type { z } from "zod";
import type { RestObject } from "../../cluster/records.ts";
import type { callFindBody } from "./call-schemas.ts";
import type { findBody, streamTerminateBody } from "./schemas.ts";

type Wanted = string | undefined;

const is = (wanted: Wanted, ...values: readonly unknown[]): boolean =>
  wanted === undefined || values.includes(wanted);

export function matchesPush(
  push: RestObject,
  { streamName, rtmpUrl }: z.output<typeof findBody>,
): boolean {
  return (
    is(streamName, push["streamName"], push["sourceStreamName"]) && is(rtmpUrl, push["rtmpUrl"])
  );
}

type StreamFilter = z.output<typeof streamTerminateBody> & {
  readonly published?: boolean | undefined;
};

export function matchesStream(stream: RestObject, filter: StreamFilter): boolean {
  const { name, mediaSessionId, status, mediaSessionIds = [], published } = filter;
  const id = stream["mediaSessionId"];
  return (
    published !== false &&
    is(name, stream["name"]) &&
    is(mediaSessionId, id) &&
    is(status, stream["status"]) &&
    (mediaSessionIds.length === 0 || mediaSessionIds.some((one) => one === id))
  );
}

export function matchesCall(call: RestObject, filter: z.output<typeof callFindBody>): boolean {
  const { callId, status, toStream, callee } = filter;
  return (
    is(callId, call["callId"]) &&
    is(status, call["status"]) &&
    is(toStream, call["toStream"]) &&
    is(callee, call["callee"])
  );
}
