/** A WHIP publisher without a browser: pictures and sound that mean nothing, over a real WebRTC connection. */
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

export type NativeSound = "pcma" | "pcmu";

/** Bytes of the sound packet number `index`: 20 ms of noise, the same in every process. */
export const soundPacket = (index: number): Buffer =>
  Buffer.from(
    Uint8Array.from({ length: 160 }, (_, i) => Math.imul(index * 160 + i, 0x9e3779b1) >>> 24),
  );

/** Publishes under `name` until closed, H.264 and what sound is asked for; rejects when the server refuses. */
export async function publishNative(
  httpUrl: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
  sound?: NativeSound,
): Promise<NativePublisher> {
  const whipUrl = `${httpUrl}/whip/${encodeURIComponent(name)}`;
  // A process of its own: the library can only be left by ending it.
  const child = fork(MAIN, [whipUrl, JSON.stringify(headers), sound ?? ""]);
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
