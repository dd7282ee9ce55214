import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, anyText, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { readClientMessage, writeMessage } from "./message.ts";

const ID = "2a48de60-e665-11f1-89b9-61c228001977";
const frame = (message: string, ...data: readonly unknown[]): string =>
  JSON.stringify({ message, data });

/** `publishStream` of the vendor's demo page, captured with the SDK 2.0.276 in Chromium; labels shortened. */
const PUBLISH = `{"message":"publishStream","data":[{"mediaSessionId":"${ID}","name":"37de","published":true,
  "hasVideo":true,"hasAudio":true,"status":"PENDING","record":false,"mediaProvider":"WebRTC","sdp":"v=0\\r\\n",
  "bitrate":0,"minBitrate":0,"maxBitrate":0,"localMediaInfo":{"devices":{"video":[],"audio":[]},"tracks":{}}}]}`;

const REQUEST = {
  session: ID,
  name: "37de",
  sdp: "v=0\r\n",
  hasAudio: true,
  hasVideo: true,
};

/** What the SDK sends (one object in a list), and what it means here. */
const MESSAGES = [
  [
    "connection",
    `{"message":"connection","data":[{"appKey":"defaultApp","mediaProviders":["WebRTC"],"clientVersion":"2.0","clientInfo":{}}]}`,
    {
      kind: "connection",
      client: {
        appKey: "defaultApp",
        mediaProviders: ["WebRTC"],
        clientVersion: "2.0",
        clientInfo: {},
      },
    },
  ],
  [
    "publishStream",
    PUBLISH,
    {
      kind: "publishStream",
      ...REQUEST,
      bitrate: 0,
      minBitrate: 0,
      maxBitrate: 0,
      rtmpUrl: undefined,
      token: undefined,
    },
  ],
  [
    "publishStream with a destination and bitrates as text from input fields",
    frame("publishStream", {
      mediaSessionId: ID,
      name: "37de",
      sdp: "v=0\r\n",
      hasAudio: true,
      hasVideo: true,
      rtmpUrl: "rtmp://localhost:1935/live",
      bitrate: "500",
      minBitrate: "",
      maxBitrate: 1000,
    }),
    {
      kind: "publishStream",
      ...REQUEST,
      bitrate: 500,
      minBitrate: 0,
      maxBitrate: 1000,
      rtmpUrl: "rtmp://localhost:1935/live",
      token: undefined,
    },
  ],
  [
    "playStream",
    frame("playStream", {
      mediaSessionId: ID,
      name: "37de",
      sdp: "v=0\r\n",
      hasAudio: true,
      hasVideo: true,
      bitrate: 0,
      quality: 0,
      status: "PENDING",
    }),
    { kind: "playStream", ...REQUEST },
  ],
  [
    "unPublishStream",
    frame("unPublishStream", { mediaSessionId: ID, name: "37de", published: true, hasVideo: true }),
    { kind: "unPublishStream", session: ID },
  ],
  ["stopStream", frame("stopStream", { mediaSessionId: ID }), { kind: "stopStream", session: ID }],
  [
    "availableStream",
    frame("availableStream", { mediaSessionId: ID, name: "37de" }),
    { kind: "availableStream", session: ID, name: "37de" },
  ],
  [
    "sendStreamEvent",
    frame("sendStreamEvent", { mediaSessionId: ID, type: "AUDIO_MUTED", payload: { a: [1] } }),
    { kind: "sendStreamEvent", session: ID, type: "AUDIO_MUTED", payload: { a: [1] } },
  ],
  [
    "sendData",
    frame("sendData", { operationId: "op-1", payload: "text" }),
    { kind: "sendData", operation: "op-1", payload: "text" },
  ],
  ["pong", `{"message":"pong","data":[null]}`, { kind: "pong" }],
  ["pong of the media socket", `{"message":"pong"}`, { kind: "pong" }],
  ["connection without data", `{"message":"connection"}`, { kind: "connection", client: {} }],
] as const;

for (const [name, text, message] of MESSAGES) {
  test(`${name} is understood`, () => assert.deepEqual(readClientMessage(text), message));
}

test("messages that mean nothing here are passed over", () => {
  const names = [
    "ping",
    "pushLogs",
    "sessionDebug",
    "snapshot",
    "webRTCMetricsBatch",
    "constructor",
  ];
  for (const name of [...names, "__proto__"]) {
    assert.equal(readClientMessage(frame(name, { any: 1 })), undefined);
  }
});

test("flags are true only when they are the value true", () => {
  const flags = { mediaSessionId: ID, name: "n", hasAudio: "true", hasVideo: 1 };
  const message = readClientMessage(frame("playStream", flags));
  assert.ok(message?.kind === "playStream");
  assert.deepEqual([message.hasAudio, message.hasVideo, message.sdp], [false, false, ""]);
});

const stream = (fields: object): string =>
  frame("publishStream", { mediaSessionId: ID, name: "n", sdp: "", ...fields });

const BROKEN = [
  ["text that is no JSON", "hello", "wcs.json"],
  ["an empty frame", "", "wcs.json"],
  ["a list", "[]", "wcs.frame"],
  ["null", "null", "wcs.frame"],
  ["a message without a name", "{}", "wcs.frame"],
  ["a name that is no text", '{"message":1}', "wcs.frame"],
  ["a stream without session", stream({ mediaSessionId: undefined }), "wcs.field"],
  ["a session id that is a list", stream({ mediaSessionId: ["a"] }), "wcs.field"],
  ["a session id of 129 characters", stream({ mediaSessionId: "x".repeat(129) }), "wcs.field"],
  ["an empty name", stream({ name: "" }), "wcs.field"],
  ["a name of 513 characters", stream({ name: "x".repeat(513) }), "wcs.field"],
  ["a negative bitrate", stream({ bitrate: -1 }), "wcs.field"],
  ["a bitrate that is a word", stream({ maxBitrate: "fast" }), "wcs.field"],
  ["a bitrate without end", stream({ minBitrate: "Infinity" }), "wcs.field"],
  ["a bitrate that is an object", stream({ bitrate: { toString: 1 } }), "wcs.field"],
  ["a bitrate that is a list", stream({ bitrate: [500] }), "wcs.field"],
  ["a bitrate that is a yes", stream({ bitrate: true }), "wcs.field"],
  ["an event without type", frame("sendStreamEvent", { mediaSessionId: ID }), "wcs.field"],
  ["data without operation", frame("sendData", { payload: 1 }), "wcs.field"],
] as const;

for (const [name, text, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => readClientMessage(text)));
}

test("names and destinations of any kind come through as they are", () => {
  always(fc.tuple(anyText(), anyText(200)), ([name, rtmpUrl]) => {
    const message = readClientMessage(stream({ name, rtmpUrl }));
    assert.ok(message?.kind === "publishStream");
    assert.deepEqual([message.name, message.rtmpUrl], [name, rtmpUrl]);
  });
});

test("what is written has a list of data, also when there is none", () => {
  assert.equal(writeMessage("ping"), '{"message":"ping","data":[]}');
  assert.deepEqual(JSON.parse(writeMessage("setRemoteSDP", "id", "v=0", true)), {
    message: "setRemoteSDP",
    data: ["id", "v=0", true],
  });
});

test("any JSON under a known name is understood or breaks a rule", () => {
  const names = MESSAGES.map(([, text]) => JSON.parse(text).message as string);
  const fields = ["mediaSessionId", "name", "sdp", "bitrate", "rtmpUrl", "type", "operationId"];
  const value = fc.oneof(fc.jsonValue(), fc.constant(ID), fc.constant({ toString: 1, valueOf: 1 }));
  const object = fc.dictionary(fc.constantFrom(...fields), value);
  const data = fc.oneof(fc.array(object, { maxLength: 2 }), object, fc.jsonValue());
  always(fc.tuple(fc.constantFrom(...names), data), ([message, content]) => {
    unlessRuleBroken(() => readClientMessage(JSON.stringify({ message, data: content })));
  });
});

test("any text is understood or breaks a rule", () => {
  always(fc.oneof(fc.string(), fc.json()), (text) => {
    unlessRuleBroken(() => readClientMessage(text));
  });
});

test("what was understood can be sent on; a frame nested too deeply for that breaks a rule", () => {
  const nested = (levels: number): string => {
    const payload = `${"[".repeat(levels)}${"]".repeat(levels)}`;
    return `{"message":"sendData","data":[{"operationId":"a","payload":${payload}}]}`;
  };
  const message = readClientMessage(nested(50));
  assert.ok(message?.kind === "sendData");
  assert.ok(writeMessage("DataStatusEvent", message.payload).includes("[[[["));
  for (const levels of [65, 200_000]) {
    breaksRule("wcs.depth", () => readClientMessage(nested(levels)));
  }
});
