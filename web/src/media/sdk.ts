/** The vendor's SDK, as far as this page uses it. */
import type { PageConfig } from "../server/api.ts";
import { publishToken } from "../server/token.ts";

export interface SdkStream {
  on(status: string, listener: (stream: SdkStream) => void): SdkStream;
  publish(): void;
  play(): void;
  stop(): void;
  getInfo(): string | undefined;
}

export interface SdkSession {
  on(status: string, listener: (session: SdkSession) => void): SdkSession;
  createStream(options: object): SdkStream;
  disconnect(): void;
}

interface Sdk {
  init(options: object): Promise<void>;
  createSession(options: { urlServer: string; custom?: object }): SdkSession;
  readonly constants: {
    readonly SESSION_STATUS: Record<string, string>;
    readonly STREAM_STATUS: Record<string, string>;
  };
}
declare const Flashphoner: Sdk | undefined;

/** Address of the server's WebSocket, seen from where this page came from. */
export function socketUrl({ wsPort, wssPort }: PageConfig): string {
  const secure = location.protocol === "https:" && wssPort !== null;
  return `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? wssPort : wsPort}`;
}

export const streamStatus = (name: string): string =>
  (Flashphoner as Sdk).constants.STREAM_STATUS[name] as string;

export interface SessionListener {
  onEstablished(session: SdkSession): void;
  /** `message` is for a person. May come more than once. */
  onLost(message: string): void;
}

/** Connects to the server; the returned function ends it. */
export function openSession(urlServer: string, listener: SessionListener): () => void {
  let session: SdkSession | undefined;
  let over = false;
  const connect = (sdk: Sdk): void => {
    if (over) return;
    const status = (name: string): string => sdk.constants.SESSION_STATUS[name] as string;
    const token = publishToken();
    session = sdk
      .createSession({ urlServer, ...(token === "" ? {} : { custom: { token } }) })
      .on(status("ESTABLISHED"), (established) => listener.onEstablished(established))
      .on(status("FAILED"), () => listener.onLost(`${urlServer} does not let this page in.`))
      .on(status("DISCONNECTED"), () => listener.onLost("The server closed the connection."));
  };
  if (typeof Flashphoner === "undefined") listener.onLost("The vendor's SDK could not be loaded.");
  else {
    const sdk = Flashphoner;
    sdk.init({}).then(
      () => connect(sdk),
      (error) => listener.onLost(String(error)),
    );
  }
  return () => {
    over = true;
    session?.disconnect();
  };
}
