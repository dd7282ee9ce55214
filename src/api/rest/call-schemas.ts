import { z } from "zod";
import { bool, filter, integer, NAME, text, URL } from "./schemas.ts";

const flag = z.preprocess(
  (value) => (value === null || value === "" ? undefined : value),
  bool.optional(),
);

/** Body of `/call/startup`; the demo pages send every value as text. */
export const callStartupBody = z.object({
  callId: filter(128),
  toStream: filter(NAME),
  /** Older clients: the stream's name, and where to push it. */
  rtmpStream: filter(NAME),
  rtmpUrl: filter(URL),
  appKey: filter(128),
  callee: text(256),
  visibleName: filter(128),
  sipLogin: filter(128),
  sipAuthenticationName: filter(128),
  sipPassword: filter(256),
  sipDomain: filter(255),
  sipPort: z.preprocess(
    (value) => (value === null || value === "" ? undefined : value),
    integer(1, 65_535).optional(),
  ),
  sipOutboundProxy: filter(255),
  sipRegisterRequired: flag,
  hasAudio: flag,
  hasVideo: flag,
  custom: z.unknown().optional(),
});

export const callIdBody = z.object({ callId: text(128) });
export const callFindBody = z.object({
  callId: filter(128),
  status: filter(64),
  toStream: filter(NAME),
  callee: filter(256),
});
export const dtmfBody = callIdBody.extend({
  dtmf: z.string().regex(/^[0-9*#A-D]{1,64}$/i, "only 0-9, *, # and A-D are tones"),
  type: z.enum(["RFC2833", "INFO", "INFO_RELAY"]).default("RFC2833"),
});
