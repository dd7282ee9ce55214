import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, hex, unlessRuleBroken } from "../../../test/support/properties.ts";
import { amf0Object } from "../amf0/value.ts";
import { decodeMessage, encodeMessage, type Message } from "./message.ts";

const decode = (type: number, payload: string): Message =>
  decodeMessage({ type, streamId: 0, timestamp: 0, payload: hex(payload) });

/** Payloads by the figures of RTMP 1.0, sections 5.4, 6.2 and 7.1. */
const BOTH_WAYS: readonly (readonly [string, number, string, Message])[] = [
  ["Set Chunk Size (5.4.1)", 1, "00010000", { kind: "setChunkSize", size: 65_536 }],
  ["Abort (5.4.2)", 2, "00000004", { kind: "abort", chunkStream: 4 }],
  ["Acknowledgement (5.4.3)", 3, "fffffff0", { kind: "acknowledgement", bytes: 0xffff_fff0 }],
  [
    "Window Acknowledgement Size (5.4.4)",
    5,
    "002625a0",
    { kind: "windowAckSize", size: 2_500_000 },
  ],
  [
    "Set Peer Bandwidth (5.4.5)",
    6,
    "002625a0 00",
    { kind: "setPeerBandwidth", size: 2_500_000, limit: 0 },
  ],
  [
    "Ping Request (7.1.7)",
    4,
    "0006 00000102",
    { kind: "userControl", event: 6, data: hex("00000102") },
  ],
  ["Audio (7.1.4)", 8, "af01aa", { kind: "audio", body: hex("af01aa") }],
  ["Video (7.1.5)", 9, "17", { kind: "video", body: hex("17") }],
  ["a data message without values", 18, "", { kind: "data", values: [] }],
  [
    "createStream (7.2.1.3)",
    20,
    "02000c 63726561746553747265616d 00 4010000000000000 05",
    { kind: "command", name: "createStream", transaction: 4, values: [null] },
  ],
];

for (const [name, type, payload, message] of BOTH_WAYS) {
  test(`${name} is read and written as the specification draws it`, () => {
    assert.deepEqual(decode(type, payload), message);
    assert.ok(message.kind !== "other");
    assert.deepEqual(encodeMessage(message), { type, payload: hex(payload) });
  });
}

test("servers' ways of their own are understood", () => {
  // Without the limit type.
  assert.deepEqual(decode(6, "002625a0"), {
    kind: "setPeerBandwidth",
    size: 2_500_000,
    limit: 2,
  });
  const closed = { kind: "command", name: "close", transaction: 0, values: [] };
  assert.deepEqual(decode(20, "020005 636c6f7365"), closed);
  // A command of the AMF3 type goes on in AMF0 after a zero byte, which some leave out.
  assert.deepEqual(decode(17, "00 020005 636c6f7365"), closed);
  assert.deepEqual(decode(17, "020005 636c6f7365"), closed);
  assert.deepEqual(decode(15, "00 05"), { kind: "data", values: [null] });
});

test("types without meaning here are passed over, whatever they carry", () => {
  for (const type of [0, 7, 16, 19, 22, 255]) {
    assert.deepEqual(decode(type, "ffff"), { kind: "other", type });
  }
});

const BROKEN = [
  ["an empty command", 20, "", "rtmp.message.command"],
  ["a command named by a number", 20, "00 4010000000000000", "rtmp.message.command"],
  ["a transaction id that is text", 20, "020001 61 020001 62", "rtmp.message.command"],
  ["an acknowledgement cut off", 3, "000000", "bytes.short"],
  ["a user control message without event", 4, "00", "bytes.short"],
  ["a command cut off", 20, "02000c 6372", "bytes.short"],
] as const;

for (const [name, type, payload, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => decode(type, payload)));
}

test("random payloads of any type are understood or break a rule; what is understood is written back", () => {
  const cases = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 100 }));
  always(cases, ([type, payload]) => {
    const raw = { type, streamId: 0, timestamp: 0, payload };
    const message = unlessRuleBroken(() => decodeMessage(raw));
    if (message === undefined || message.kind === "other") return;
    const again = { ...raw, ...encodeMessage(message) };
    assert.deepEqual(decodeMessage(again), message);
  });
});

test("a command with an object keeps its properties in order", () => {
  const values = [amf0Object({ b: 1, a: "x", c: null }), "live"];
  const message: Message = { kind: "command", name: "connect", transaction: 1, values };
  assert.deepEqual(
    decodeMessage({ streamId: 0, timestamp: 0, ...encodeMessage(message) }),
    message,
  );
});
