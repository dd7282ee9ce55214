/** How this node presents itself to NATS. */
import {
  type Authenticator,
  credsAuthenticator,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import type { Secret } from "../../base/secret.ts";

/** PEM texts. */
export interface NatsTls {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface NatsOptions {
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly token: Secret | undefined;
  /** Text of a credentials file. */
  readonly credentials: Secret | undefined;
  /** Seed of an NKey. */
  readonly nkey: Secret | undefined;
  readonly tls: NatsTls | undefined;
  /** Clusters of different names do not see each other. Letters, digits, `-` and `_`. */
  readonly cluster: string;
  /** Copies that NATS keeps of the bucket. */
  readonly replicas: number;
  readonly requestTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 3000;
const RETRY_MS = 500;
/** Two unanswered pings end a connection that only seems to be one. */
const PING_MS = 2000;

/** `name` is shown to who looks after NATS. */
export function connectionOptions(options: NatsOptions, name: string): NodeConnectionOptions {
  const { servers, user, password, token, tls } = options;
  const authenticator = authenticatorOf(options);
  return {
    name,
    servers: [...servers],
    timeout: CONNECT_TIMEOUT_MS,
    reconnectTimeWait: RETRY_MS,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password.reveal() }),
    ...(token !== undefined && { token: token.reveal() }),
    ...(authenticator !== undefined && { authenticator }),
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
  };
}

function authenticatorOf({ credentials, nkey }: NatsOptions): Authenticator | undefined {
  const bytes = (secret: Secret): Uint8Array => new TextEncoder().encode(secret.reveal());
  if (credentials !== undefined) return credsAuthenticator(bytes(credentials));
  return nkey === undefined ? undefined : nkeyAuthenticator(bytes(nkey));
}

const tlsOptions = ({ ca, certificate, key }: NatsTls) => ({
  ...(ca !== undefined && { ca }),
  ...(certificate !== undefined && { cert: certificate }),
  ...(key !== undefined && { key }),
});
