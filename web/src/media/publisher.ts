import { openSession, type SdkSession, type SdkStream, streamStatus } from "./sdk.ts";

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
const CONSTRAINTS = { audio: true, video: { width: 1280, height: 720 } };

/** Sends camera and microphone to the server. States follow through `onState`; a final one comes once. */
export function goLive({ urlServer, name, display, onState }: BroadcastOptions): Broadcast {
  let over = false;
  let stream: SdkStream | undefined;
  let close = (): void => undefined;
  const end = (state: PublishState): void => {
    if (over) return;
    over = true;
    onState(state);
    close();
    display.replaceChildren();
  };
  const failed = (message: string): void => end({ kind: "failed", message });
  const publish = (session: SdkSession): void => {
    stream = session.createStream({ name, display, constraints: CONSTRAINTS });
    stream
      .on(streamStatus("PUBLISHING"), () => onState({ kind: "live" }))
      .on(streamStatus("UNPUBLISHED"), () => end({ kind: "idle" }))
      .on(streamStatus("FAILED"), (s) => failed(s.getInfo() ?? "Publishing failed."))
      .publish();
  };
  onState({ kind: "starting" });
  if (navigator.mediaDevices === undefined) failed(NO_DEVICES);
  else close = openSession(urlServer, { onEstablished: publish, onLost: failed });
  return {
    stop: () => {
      if (stream === undefined) end({ kind: "idle" });
      else stream.stop();
    },
  };
}
