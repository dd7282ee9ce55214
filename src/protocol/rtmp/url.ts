import type { Secret } from "../../base/secret.ts";

/** An RTMP destination, taken apart as the publishing side needs it. */
export interface RtmpUrl {
  readonly scheme: "rtmp" | "rtmps";
  /** Name or address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `app` of the connect command: application, instance and query, without slashes at the ends. */
  readonly app: string;
  /** `tcUrl` of the connect command; never contains user information. */
  readonly tcUrl: string;
  /** Name to publish under. Often a key that gives the right to broadcast. */
  readonly streamName: Secret;
  readonly credentials: { readonly user: string; readonly password: Secret } | undefined;
}
