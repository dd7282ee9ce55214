/** A WHIP publisher without a browser: H.264 pictures that mean nothing, over a real WebRTC connection. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";

export interface NativePublisher {
  /** URL of the WHIP resource. */
  readonly resource: string;
  /** Goes away without a word to the server. */
  close(): void;
}

const MAIN = new URL(`./native-publisher-main${extname(import.meta.url)}`, import.meta.url);

/** Publishes under `name` until closed; rejects when the server refuses. */
export async function publishNative(
  httpUrl: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<NativePublisher> {
  const whipUrl = `${httpUrl}/whip/${encodeURIComponent(name)}`;
  // A process of its own: the library can only be left by ending it.
  const child = fork(MAIN, [whipUrl, JSON.stringify(headers)]);
  const [answer] = (await once(child, "message")) as [
    { readonly status: number; readonly text: string; readonly resource: string },
  ];
  // A test that failed on the way must not wait for it.
  child.unref();
  child.channel?.unref();
  const close = (): void => void child.kill("SIGKILL");
  if (answer.status === 201) return { resource: answer.resource, close };
  close();
  throw new Error(`${answer.status} ${answer.text}`);
}
