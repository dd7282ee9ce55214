/** WCS: frames of the SDK with parts changed; what is understood can be sent on. */
import { readClientMessage, writeMessage } from "../src/protocol/wcs/message.ts";
import { fuzz, mutateText, unlessRuleBroken } from "./support/fuzz.ts";

const STREAM = {
  mediaSessionId: "2a48de60-e665-11f1-89b9-61c228001977",
  name: "37de",
  hasVideo: true,
  hasAudio: true,
  sdp: "v=0\r\n",
  bitrate: 0,
  minBitrate: "500",
  maxBitrate: null,
  rtmpUrl: "rtmp://u:p@host/live",
};
const FRAMES = [
  { message: "connection", data: [{ appKey: "defaultApp", clientInfo: { a: [[]] } }] },
  { message: "publishStream", data: [STREAM] },
  { message: "playStream", data: [STREAM] },
  { message: "unPublishStream", data: [STREAM] },
  { message: "availableStream", data: [STREAM] },
  { message: "sendStreamEvent", data: [{ ...STREAM, type: "x", payload: { a: 1 } }] },
  { message: "sendData", data: [{ operationId: "a", payload: [1, { b: "c" }] }] },
  { message: "pong", data: [null] },
].map((frame) => JSON.stringify(frame));

fuzz((chance) => {
  const text = mutateText(chance, chance.pick(FRAMES), /(?=[[\]{}",:])/);
  const message = unlessRuleBroken(() => readClientMessage(text));
  if (message !== undefined) writeMessage("echo", message);
});
