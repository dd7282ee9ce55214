/** The whole laboratory: our publishers, a bad network, the running server, and nginx-rtmp as destination. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type NginxRtmp, startNginxRtmp } from "../rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../server.ts";
import { freePort } from "../static-site.ts";
import { type ReceivedMedia, readFlv } from "./flv-file.ts";
import { type LabPublisher, type PublisherProcess, startPublishers } from "./publisher.ts";
import type { RecordingOptions } from "./recording.ts";
import { CLEAN, type NetworkProfile, type Relay, startRelay } from "./relay.ts";
import type { SenderPlan } from "./rtp-sender.ts";

interface NamedStream {
  readonly name: string;
}

export interface LabStream extends NamedStream {
  readonly publisher: LabPublisher;
}

/** What a destination has so far. */
interface Recorded {
  readonly file: string;
  readonly media: ReceivedMedia;
}

export interface Lab {
  readonly server: TestServer;
  readonly nginx: NginxRtmp;
  readonly relay: Relay;
  readonly publishers: PublisherProcess;
  /** Publishes through the relay, which is like `network` from now on. */
  publish(
    recording: RecordingOptions,
    sender: SenderPlan,
    network?: NetworkProfile,
  ): Promise<LabStream>;
  /** Pushes a stream to nginx. */
  push(stream: NamedStream): Promise<void>;
  /** The destination's file, when it holds what is asked for. */
  recorded(stream: NamedStream, enough: (media: ReceivedMedia) => boolean): Promise<Recorded>;
  close(): Promise<void>;
}

export async function startLab(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Lab> {
  const udpPort = await freePort();
  const [server, nginx, relay] = await Promise.all([
    startServer({ media_port_from: udpPort, ...settings }),
    startNginxRtmp(),
    startRelay(udpPort),
  ]);
  const publishers = startPublishers();
  return {
    server,
    nginx,
    relay,
    publishers,
    async publish(recording, sender, network = CLEAN) {
      const name = randomUUID();
      const whipUrl = `${server.httpUrl}/whip/${name}`;
      relay.use(network);
      const publisher = await publishers.publish({
        whipUrl,
        recording,
        sender,
        viaPort: relay.port,
      });
      return { name, publisher };
    },
    async push({ name }) {
      const body = { streamName: name, rtmpUrl: nginx.url };
      await server.restUntil("/push/startup", body, (status) => status === 200);
    },
    async recorded({ name }, enough) {
      const file = await nginx.recording(`rtmp_${name}`);
      return until("enough media at the destination", async () => {
        const media = readFlv(await readFile(file));
        return enough(media) ? { file, media } : undefined;
      });
    },
    async close() {
      await publishers.close();
      relay.close();
      await Promise.all([server.stop(), nginx.stop()]);
    },
  };
}

/** True when pictures of so many seconds are there. */
export const seconds =
  (length: number) =>
  ({ pictures }: ReceivedMedia): boolean =>
    (pictures.at(-1)?.timestamp ?? 0) - (pictures[0]?.timestamp ?? 0) >= 1000 * length;
