/** A WHIP publisher without a browser: H.264 pictures that mean nothing, over a real WebRTC connection. */
import library from "node-datachannel";
import { until } from "./server.ts";
import { picturePayloads, rtpDatagram } from "./simulated-publisher.ts";

const PAYLOAD_TYPE = 102;
const SSRC = 0x1234;
const FRAME_MS = 33;
const KEY_EVERY = 15;
const PICTURE_BYTES = 900;

export interface NativePublisher {
  /** URL of the WHIP resource. */
  readonly resource: string;
  /** Ends the connection without a word to the server. */
  close(): void;
}

/** The library's threads live on while there is any. */
let open = 0;

/** Publishes under `name` until closed; rejects when the server refuses. */
export async function publishNative(
  httpUrl: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<NativePublisher> {
  const connection = new library.PeerConnection(name, { iceServers: [] });
  const video = new library.Video("0", "SendOnly");
  video.addH264Codec(PAYLOAD_TYPE);
  video.addSSRC(SSRC, "test");
  const track = connection.addTrack(video);
  connection.setLocalDescription("offer");
  const offer = await until("local candidates", async () =>
    connection.gatheringState() === "complete" ? connection.localDescription()?.sdp : undefined,
  );
  const response = await fetch(`${httpUrl}/whip/${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { "content-type": "application/sdp", ...headers },
    body: offer,
  });
  const answer = await response.text();
  if (response.status !== 201) {
    connection.close();
    throw new Error(`${response.status} ${answer}`);
  }
  connection.setRemoteDescription(answer, "answer");
  const stop = sendPictures(track);
  open += 1;
  return {
    resource: new URL(response.headers.get("location") ?? "", httpUrl).href,
    close() {
      stop();
      track.close();
      connection.close();
      open -= 1;
      if (open === 0) library.cleanup();
    },
  };
}

function sendPictures(track: ReturnType<library.PeerConnection["addTrack"]>): () => void {
  let picture = 0;
  let sequence = 0;
  const send = (): void => {
    if (!track.isOpen()) return;
    const payloads = picturePayloads(picture, picture % KEY_EVERY === 0, PICTURE_BYTES);
    for (const [index, payload] of payloads.entries()) {
      const header = {
        payloadType: PAYLOAD_TYPE,
        sequence: sequence++ & 0xffff,
        timestamp: picture * 3000,
        ssrc: SSRC,
        marker: index === payloads.length - 1,
      };
      track.sendMessageBinary(Buffer.from(rtpDatagram(header, payload)));
    }
    picture += 1;
  };
  const timer = setInterval(send, FRAME_MS);
  return () => clearInterval(timer);
}
