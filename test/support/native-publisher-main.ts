/** Process of one publisher without a browser; see `native-publisher.ts`. Ended by its parent. */
import library from "node-datachannel";
import { until } from "./server.ts";
import { picturePayloads, rtpDatagram } from "./simulated-publisher.ts";

const PAYLOAD_TYPE = 102;
const SSRC = 0x1234;
const FRAME_MS = 33;
const KEY_EVERY = 15;
const PICTURE_BYTES = 900;

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

const [whipUrl = "", headers = "{}"] = process.argv.slice(2);
const connection = new library.PeerConnection("publisher", { iceServers: [] });
const video = new library.Video("0", "SendOnly");
video.addH264Codec(PAYLOAD_TYPE);
video.addSSRC(SSRC, "test");
const track = connection.addTrack(video);
connection.setLocalDescription("offer");
const offer = await until("local candidates", async () =>
  connection.gatheringState() === "complete" ? connection.localDescription()?.sdp : undefined,
);
const response = await fetch(whipUrl, {
  method: "POST",
  headers: { "content-type": "application/sdp", ...JSON.parse(headers) },
  body: offer,
});
const answer = await response.text();
if (response.status === 201) connection.setRemoteDescription(answer, "answer");
process.send?.({
  status: response.status,
  text: answer,
  resource: new URL(response.headers.get("location") ?? "", response.url).href,
});

let picture = 0;
let sequence = 0;
setInterval(() => {
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
}, FRAME_MS);
