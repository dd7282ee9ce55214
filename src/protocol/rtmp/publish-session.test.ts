import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  always,
  anyText,
  breaksRule,
  cut,
  cuts,
  hex,
  join,
  unlessRuleBroken,
} from "../../../test/support/properties.ts";
import { Dialogue, HANDSHAKE } from "../../../test/support/rtmp-dialogue.ts";
import { SERVER_ANSWERS } from "../../../test/vectors/rtmp-servers.ts";
import { Bug } from "../../base/assert.ts";
import { micros, millis } from "../../base/time.ts";
import { amf0Object, propertiesOf } from "../amf0/value.ts";
import type { FlvTag } from "../flv/tag.ts";

const BEFORE_MEDIA = ["connect", "releaseStream", "FCPublish", "createStream", "publish"];

for (const [server, answer] of Object.entries(SERVER_ANSWERS)) {
  test(`the answers of ${server} lead to acceptance, wherever they are cut`, () => {
    const whole = join([HANDSHAKE, answer]);
    const run = (lengths: readonly number[]) => {
      const dialogue = new Dialogue();
      for (const piece of cut(whole, lengths)) dialogue.receive(piece);
      assert.deepEqual(
        dialogue.outcomes.map(({ kind }) => kind),
        ["accepted"],
      );
      assert.equal(dialogue.session.step, "media");
      assert.equal(dialogue.session.deadline, undefined);
      return dialogue.sent;
    };
    const expected = run([]);
    const commands = expected.flatMap(({ message }) =>
      message.kind === "command" ? [message.name] : [],
    );
    assert.deepEqual(commands, BEFORE_MEDIA);
    always(cuts(), (lengths) => assert.deepEqual(run(lengths), expected), 300);
    assert.deepEqual(run(Array.from(whole, () => 1)), expected);
  });
}

test("connect goes out on message stream 0 and publish on the stream the server gave", () => {
  const dialogue = new Dialogue();
  dialogue.receive(HANDSHAKE);
  dialogue.command("_result", 1, null, null);
  dialogue.command("_result", 4, null, 7);
  const streams = dialogue.sent.flatMap(({ message, streamId }) =>
    message.kind === "command" ? [[message.name, streamId]] : [],
  );
  assert.deepEqual(streams[0], ["connect", 0]);
  assert.deepEqual(streams.at(-1), ["publish", 7]);
});

test("our chunk size is announced before the first message that uses it", () => {
  const { sent } = new Dialogue().until("createStream");
  const kinds = sent.map(({ message }) =>
    message.kind === "command" ? message.name : message.kind,
  );
  assert.deepEqual(kinds, [
    "connect",
    "setChunkSize",
    "windowAckSize",
    ...BEFORE_MEDIA.slice(1, 4),
  ]);
});

test("a createStream answered without a number is stream 1", () => {
  const dialogue = new Dialogue().until("createStream");
  dialogue.command("_result", 4, null, null);
  assert.equal(dialogue.sent.at(-1)?.streamId, 1);
  assert.equal(dialogue.commands.at(-1), "publish");
});

test("answers to other transactions, errors of releaseStream and FCPublish, and chatter change nothing", () => {
  const dialogue = new Dialogue().until("createStream");
  dialogue.command(
    "_error",
    2,
    null,
    amf0Object({ level: "error", code: "NetConnection.Call.Failed" }),
  );
  dialogue.command("_error", 3, null, null);
  dialogue.command("_result", 3, null, null);
  dialogue.command("_result", 1, null, null);
  dialogue.command("onBWDone", 0, null);
  dialogue.command("onFCPublish", 0, null, amf0Object({ code: "NetStream.Publish.Start" }));
  dialogue.serve({ kind: "setPeerBandwidth", size: 1, limit: 2 });
  dialogue.serve({ kind: "userControl", event: 0, data: hex("00000001") });
  dialogue.serve({ kind: "data", values: ["onMetaData"] });
  assert.equal(dialogue.session.step, "createStream");
  dialogue.command("_result", 4, null, 1);
  dialogue.command(
    "onStatus",
    0,
    null,
    amf0Object({ level: "status", code: "NetStream.Data.Start" }),
  );
  assert.equal(dialogue.session.step, "publish");
  assert.deepEqual(dialogue.outcomes, []);
});

test("Publish.Start counts whatever its level, and only once", () => {
  const dialogue = new Dialogue().until("publish");
  const start = amf0Object({ level: "error", code: "NetStream.Publish.Start" });
  dialogue.command("onStatus", 0, null, start);
  dialogue.command("onStatus", 0, null, start);
  assert.deepEqual(
    dialogue.outcomes.map(({ kind }) => kind),
    ["accepted"],
  );
});

test("a server of the AMF3 type is understood", () => {
  const dialogue = new Dialogue().until("publish");
  const bytes = dialogue.bytesOf({
    kind: "command",
    name: "onStatus",
    transaction: 0,
    values: [null, amf0Object({ code: "NetStream.Publish.Start" })],
  });
  // The same as message type 17, on a chunk stream of its own, with the marker before it.
  const payload = bytes.subarray(8);
  const length = (payload.length + 1).toString(16).padStart(6, "0");
  dialogue.receive(join([hex(`05 000000 ${length} 11 00000000 00`), payload]));
  assert.equal(dialogue.session.step, "media");
});

for (const size of [1, 2, 127, 4096, 16_777_215, 0x7fff_ffff]) {
  test(`a server that sends chunks of ${size} bytes is understood`, () => {
    const dialogue = new Dialogue();
    dialogue.receive(HANDSHAKE);
    dialogue.chunkSize(size);
    dialogue.command("_result", 1, null, amf0Object({ code: "NetConnection.Connect.Success" }));
    dialogue.command("_result", 4, null, 1);
    dialogue.command("onStatus", 0, null, amf0Object({ code: "NetStream.Publish.Start" }));
    assert.equal(dialogue.session.step, "media");
  });
}

test("a small window never starves: half of it is acknowledged at the latest", () => {
  const dialogue = new Dialogue().until("media");
  dialogue.serve({ kind: "windowAckSize", size: 1000 });
  const first = dialogue.sent.length;
  let received = 0;
  for (let i = 0; i < 100; i += 1) {
    const ping = dialogue.bytesOf({ kind: "userControl", event: 0, data: new Uint8Array(60) });
    received += ping.length;
    dialogue.receive(ping);
  }
  const acknowledged = dialogue.sent
    .slice(first)
    .flatMap(({ message }) => (message.kind === "acknowledgement" ? [message.bytes] : []));
  assert.ok(acknowledged.length >= received / 600);
  const steps = acknowledged.slice(1).map((bytes, i) => bytes - (acknowledged[i] ?? 0));
  assert.ok(steps.every((step) => step >= 500 && step <= 1000));
});

test("a window of one byte costs one acknowledgement per read, and a window of 0 none", () => {
  const dialogue = new Dialogue().until("media");
  const acks = () =>
    dialogue.sent.filter(({ message }) => message.kind === "acknowledgement").length;
  dialogue.serve({ kind: "windowAckSize", size: 1 });
  assert.equal(acks(), 1);
  dialogue.serve({ kind: "windowAckSize", size: 0 });
  assert.equal(acks(), 1);
});

test("a ping comes back with its timestamp, and no more than that", () => {
  const dialogue = new Dialogue().until("media");
  dialogue.serve({ kind: "userControl", event: 6, data: hex("00000102 ffff") });
  assert.deepEqual(dialogue.sent.at(-1)?.message, {
    kind: "userControl",
    event: 7,
    data: hex("00000102"),
  });
});

/** Refusals as servers word them: message, at which step it comes, and which step is refused. */
test("capabilities of the connect reply come with the acceptance", () => {
  const dialogue = new Dialogue();
  dialogue.receive(HANDSHAKE);
  const video = amf0Object({ hvc1: 4 });
  dialogue.command("_result", 1, null, amf0Object({ videoFourCcInfoMap: video }));
  dialogue.command("_result", 4, null, 1);
  dialogue.command("onStatus", 0, null, amf0Object({ code: "NetStream.Publish.Start" }));
  assert.deepEqual(dialogue.outcomes, [
    { kind: "accepted", capabilities: { videoFourCc: ["hvc1"], audioFourCc: [] } },
  ]);
});

const tag = (kind: "audio" | "video" | "script", body: string): FlvTag => {
  const base = { pts: micros(0), body: hex(body) };
  if (kind === "script") return { kind, ...base };
  return kind === "video" ? { kind, role: "key", ...base } : { kind, role: "frame", ...base };
};

test("tags go out as messages of the published stream with their times; metadata as @setDataFrame", () => {
  const dialogue = new Dialogue().until("media");
  const first = dialogue.sent.length;
  dialogue.session.write(tag("script", "020001 61"), millis(0));
  dialogue.session.write(tag("video", "1701"), millis(5));
  dialogue.session.write(tag("audio", "af01"), millis(4));
  dialogue.session.write(tag("video", "2701"), millis(0x1_0000_0005));
  dialogue.poll();
  const sent = dialogue.sent.slice(first);
  assert.deepEqual(
    sent.map(({ message }) => message),
    [
      { kind: "data", values: ["@setDataFrame", "a"] },
      { kind: "video", body: hex("1701") },
      { kind: "audio", body: hex("af01") },
      { kind: "video", body: hex("2701") },
    ],
  );
  assert.deepEqual(
    sent.map(({ timestamp, streamId }) => [timestamp, streamId]),
    [
      [0, 1],
      [5, 1],
      [4, 1],
      [5, 1],
    ],
  );
});

test("frames of any size arrive whole and in order", () => {
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(200_000)), { maxLength: 6 });
  always(sizes, (lengths) => {
    const dialogue = new Dialogue().until("media");
    const first = dialogue.sent.length;
    const tags = lengths.map((length, i) => {
      const kind = i % 3 === 0 ? "audio" : "video";
      return { ...tag(kind, ""), body: new Uint8Array(length).fill(i + 1) };
    });
    for (const [i, one] of tags.entries()) dialogue.session.write(one, millis(i * 40));
    dialogue.poll();
    const bodies = dialogue.sent
      .slice(first)
      .map(({ message }) => ("body" in message ? message.body.slice() : undefined));
    assert.deepEqual(
      bodies,
      tags.map(({ body }) => body),
    );
  });
});

test("a tag before the acceptance is a bug of ours, after the end it is nothing", () => {
  const dialogue = new Dialogue().until("publish");
  assert.throws(() => dialogue.session.write(tag("video", "17"), millis(0)), Bug);
  dialogue.session.closing();
  dialogue.poll();
  const count = dialogue.sent.length;
  dialogue.session.write(tag("video", "17"), millis(0));
  dialogue.poll();
  assert.equal(dialogue.sent.length, count);
});

test("the goodbye names the stream only to a server that knows it", () => {
  for (const step of ["connect", "createStream"] as const) {
    const dialogue = new Dialogue().until(step);
    const before = dialogue.commands.length;
    dialogue.session.closing();
    dialogue.poll();
    assert.equal(dialogue.commands.length, before);
  }
  for (const step of ["publish", "media"] as const) {
    const dialogue = new Dialogue().until(step);
    dialogue.session.closing();
    dialogue.session.closing();
    dialogue.poll();
    assert.deepEqual(dialogue.commands.slice(-3), ["publish", "FCUnpublish", "deleteStream"]);
  }
});

test("names, applications and versions of any kind reach the server as they are", () => {
  const cases = fc.record({ app: anyText(), streamName: anyText(300), flashVersion: anyText() });
  always(
    cases,
    (options) => {
      const { sent } = new Dialogue(options).until("publish");
      const values = (name: string) =>
        sent.flatMap(({ message }) =>
          message.kind === "command" && message.name === name ? [message.values] : [],
        );
      assert.equal(propertiesOf(values("connect")[0]?.[0]).get("app"), options.app);
      assert.equal(propertiesOf(values("connect")[0]?.[0]).get("flashVer"), options.flashVersion);
      for (const name of ["releaseStream", "FCPublish", "publish"]) {
        assert.equal(values(name)[0]?.[1], options.streamName);
      }
    },
    300,
  );
});

const GARBAGE = [
  [
    "an unfinished message that is too large",
    "04 000000 ffffff 14 00000000",
    "rtmp.chunk.tooLarge",
  ],
  ["a command that is no AMF0", "04 000000 000001 14 00000000 ff", "amf0.marker"],
  ["text of another protocol", "485454502f312e3120343030", "rtmp.chunk.noHeader"],
] as const;

for (const [name, bytes, rule] of GARBAGE) {
  test(`${name} ends the session by the rule ${rule}`, () => {
    const dialogue = new Dialogue().until("connect");
    breaksRule(rule, () => dialogue.receive(hex(bytes)));
    assert.equal(dialogue.session.step, "over");
    dialogue.receive(hex("ffffffff"));
    dialogue.session.wake(micros(1e9));
    dialogue.poll();
    assert.deepEqual(dialogue.outcomes, []);
  });
}

test("an HTTP server is told apart at its first byte", () => {
  const dialogue = new Dialogue();
  breaksRule("rtmp.handshake.version", () =>
    dialogue.receive(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n")),
  );
});

test("random bytes at any step end in silence, a refusal or a broken rule", () => {
  const steps = fc.constantFrom("connect", "createStream", "publish", "media");
  const noise = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(hex("03 000000 000004 01 00000000"), hex("02000461626364"), hex("c3")),
    ),
    { maxLength: 8 },
  );
  always(fc.tuple(steps, noise), ([step, pieces]) => {
    const dialogue = new Dialogue().until(step);
    unlessRuleBroken(() => {
      for (const piece of pieces) dialogue.receive(piece);
    });
  });
});

test("a data message that cannot be read is none of a publisher's business", () => {
  const dialogue = new Dialogue().until("media");
  // Type 18 on a chunk stream of its own: an AMF0 reference to an object that was never sent.
  dialogue.receive(hex("05 000000 000003 12 01000000 07 0009"));
  assert.equal(dialogue.session.step, "media");
});
