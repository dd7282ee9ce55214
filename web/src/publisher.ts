/** The vendor's SDK, as far as this page uses it. */
interface SdkStream {
  on(status: string, listener: (stream: SdkStream) => void): SdkStream;
  publish(): void;
  stop(): void;
  getInfo(): string | undefined;
}
interface SdkSession {
  on(status: string, listener: (session: SdkSession) => void): SdkSession;
  createStream(options: object): SdkStream;
  disconnect(): void;
}
interface Sdk {
  init(options: object): Promise<void>;
  createSession(options: { urlServer: string }): SdkSession;
  readonly constants: {
    readonly SESSION_STATUS: Record<string, string>;
    readonly STREAM_STATUS: Record<string, string>;
  };
}
declare const Flashphoner: Sdk;

export type PublishState =
  | { readonly kind: "idle" }
  | { readonly kind: "starting" }
  | { readonly kind: "live" }
  | { readonly kind: "failed"; readonly message: string };

/** A broadcast from this browser; `stop` ends it. */
export interface Broadcast {
  stop(): void;
}

export interface BroadcastOptions {
  readonly urlServer: string;
  readonly name: string;
  /** Where the local picture is shown. */
  readonly display: HTMLElement;
  readonly onState: (state: PublishState) => void;
}

const NO_DEVICES = "The browser gives no camera here: open the page over https, or on localhost.";

/** Sends camera and microphone to the server. States follow through `onState`; a final one comes once. */
export function goLive({ urlServer, name, display, onState }: BroadcastOptions): Broadcast {
  let over = false;
  let session: SdkSession | undefined;
  let stream: SdkStream | undefined;
  const end = (state: PublishState): void => {
    if (over) return;
    over = true;
    onState(state);
    session?.disconnect();
    display.replaceChildren();
  };
  const failed = (message: string): void => end({ kind: "failed", message });
  const publish = (established: SdkSession): void => {
    const { STREAM_STATUS } = Flashphoner.constants;
    stream = established.createStream({
      name,
      display,
      constraints: { audio: true, video: { width: 1280, height: 720 } },
    });
    stream
      .on(STREAM_STATUS["PUBLISHING"] as string, () => onState({ kind: "live" }))
      .on(STREAM_STATUS["UNPUBLISHED"] as string, () => end({ kind: "idle" }))
      .on(STREAM_STATUS["FAILED"] as string, (s) => failed(s.getInfo() ?? "Publishing failed"))
      .publish();
  };
  const connect = (): void => {
    const { SESSION_STATUS } = Flashphoner.constants;
    session = Flashphoner.createSession({ urlServer })
      .on(SESSION_STATUS["ESTABLISHED"] as string, publish)
      .on(SESSION_STATUS["FAILED"] as string, () => failed(`No connection to ${urlServer}`))
      .on(SESSION_STATUS["DISCONNECTED"] as string, () =>
        failed("The server closed the connection"),
      );
  };
  onState({ kind: "starting" });
  if (navigator.mediaDevices === undefined) failed(NO_DEVICES);
  else Flashphoner.init({}).then(connect, (error) => failed(String(error)));
  return {
    stop: () => {
      if (stream === undefined) end({ kind: "idle" });
      else stream.stop();
    },
  };
}
