/** The WebRTC library with publishers, and a callback that counts their packets. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { systemClock } from "../../../src/observe/system-clock.ts";
import { answerPublish } from "../../../src/protocol/sdp/answer.ts";
import { parseOffer, remoteTransport } from "../../../src/protocol/sdp/offer.ts";
import { createPeerFactory } from "../../../src/transport/webrtc/datachannel-peer.ts";
import type { Peer } from "../../../src/transport/webrtc/peer.ts";
import type { Part } from "./part.ts";

const BITRATE = { min: 0, start: 0, max: 0 };

export interface IngestPlan {
  readonly udpPort: number;
  /** Where the publishers send their offers. */
  readonly httpPort: number;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
}

export async function startIngest({ udpPort, httpPort }: IngestPlan): Promise<Part> {
  const peers = createPeerFactory({
    udpPort,
    bindAddress: "127.0.0.1",
    publicAddress: undefined,
    clock: systemClock,
  });
  const open = new Set<Peer>();
  let packets = 0;
  const publish = (sdp: string): string => {
    const offer = parseOffer(sdp);
    const peer = peers.open(remoteTransport(offer), {
      onState: () => undefined,
      onPacket: () => {
        packets += 1;
      },
      onBug: (error) => console.error(error),
    });
    open.add(peer);
    return answerPublish(offer, peer.local, { bitrate: BITRATE }).answer;
  };
  const server = createServer(async (request, response) => {
    const sdp = await bodyOf(request);
    if (request.method === "DELETE") response.end();
    else response.writeHead(201, { location: `${request.url}/it` }).end(publish(sdp));
  });
  server.listen(httpPort, "127.0.0.1");
  await once(server, "listening");
  return { count: () => packets };
}
