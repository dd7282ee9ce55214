import type { Brand } from "../base/brand.ts";

/** Name under which a stream is published here; chosen by the publisher. */
export type StreamName = Brand<string, "StreamName">;
/** One published or played stream; chosen by the WCS client (a UUID) or by us. */
export type MediaSessionId = Brand<string, "MediaSessionId">;
/** One push of one stream to one destination; 26 characters a-z0-9, chosen by us. */
export type TransponderId = Brand<string, "TransponderId">;
/** One media worker process. */
export type WorkerId = Brand<string, "WorkerId">;
