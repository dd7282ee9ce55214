import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  always,
  breaksRule,
  cut,
  cuts,
  hex,
  join,
  unlessRuleBroken,
} from "../../../test/support/properties.ts";
import { type RawMessage, TYPE } from "./chunk-header.ts";
import { type ChunkLimits, ChunkReader, SERVER_LIMITS } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";

const LIMITS: ChunkLimits = { messageSize: 1 << 20, chunkStreams: 64, unfinished: 2 << 20 };

function readAll(pieces: readonly Uint8Array[], reader = new ChunkReader(LIMITS)): RawMessage[] {
  const messages: RawMessage[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      messages.push({ ...next, payload: next.payload.slice() });
    }
  }
  return messages;
}

const read = (text: string): RawMessage[] => readAll([hex(text)]);
const timestamps = (messages: readonly RawMessage[]): number[] => messages.map((m) => m.timestamp);
const bytes = (length: number, value = 0xaa): string =>
  value.toString(16).padStart(2, "0").repeat(length);
/** Message header of format 0: audio of `length` bytes on message stream 1. */
const full = (timestamp: string, length: number): string =>
  `${timestamp} ${length.toString(16).padStart(6, "0")} 08 01000000`;

test("audio messages with one length and steady timestamps (RTMP 1.0, 5.3.2.1)", () => {
  const sound = bytes(32);
  const messages = read(
    `03 0003e8 000020 08 39300000 ${sound} 83 000014 ${sound} c3 ${sound} c3 ${sound}`,
  );
  assert.deepEqual(timestamps(messages), [1000, 1020, 1040, 1060]);
  for (const message of messages) {
    assert.deepEqual([message.type, message.streamId, message.payload.length], [8, 12345, 32]);
  }
});

test("a message longer than the chunk size is joined (RTMP 1.0, 5.3.2.2)", () => {
  const [message, ...more] = read(
    `04 0003e8 000133 09 3a300000 ${bytes(128, 1)} c4 ${bytes(128, 2)} c4 ${bytes(51, 3)}`,
  );
  assert.deepEqual(more, []);
  assert.deepEqual([message?.type, message?.streamId, message?.timestamp], [9, 12346, 1000]);
  assert.deepEqual(message?.payload, hex(bytes(128, 1) + bytes(128, 2) + bytes(51, 3)));
});

/** Header forms that servers use (5.3.1.1 to 5.3.1.3), each with the timestamps it means. */
const FORMS = [
  ["an id of two bytes (64 + 0x21)", `00 21 ${full("000005", 1)} aa c0 21 bb`, [5, 10]],
  ["an id of three bytes, little endian", `01 2101 ${full("000005", 1)} aa c1 2101 bb`, [5, 10]],
  ["format 1 after format 0", `04 ${full("00000a", 1)} aa 44 000005 000002 08 bbbb`, [10, 15]],
  [
    "format 2, then 3 with the same delta",
    `04 ${full("00000a", 1)} aa 84 000003 aa c4 aa`,
    [10, 13, 16],
  ],
  [
    "format 3 after format 0: the timestamp is the delta",
    `04 ${full("00000a", 1)} aa c4 bb`,
    [10, 20],
  ],
  ["a timestamp of 0xFFFFFE needs no extension", `04 ${full("fffffe", 1)} aa`, [0xff_fffe]],
  ["a timestamp of 0xFFFFFF is extended", `04 ${full("ffffff", 1)} 00ffffff aa`, [0xff_ffff]],
  ["an extended timestamp of 32 bits", `04 ${full("ffffff", 1)} fffffff0 aa`, [0xffff_fff0]],
  [
    "a delta runs over 2^32",
    `04 ${full("ffffff", 1)} fffffff0 aa 84 000020 bb`,
    [0xffff_fff0, 0x10],
  ],
  ["an extended delta", `04 ${full("000001", 1)} aa 84 ffffff 01000000 bb`, [1, 0x0100_0001]],
  [
    "an extended delta repeated by format 3",
    `04 ${full("000001", 1)} aa 84 ffffff 01000000 bb c4 01000000 cc`,
    [1, 0x0100_0001, 0x0200_0001],
  ],
  [
    "format 3 repeats the extended timestamp within a message",
    `04 ${full("ffffff", 130)} 01000000 ${bytes(128)} c4 01000000 ${bytes(2)}`,
    [0x0100_0000],
  ],
  ["a message without payload", `04 ${full("000007", 0)} 84 000001`, [7, 8]],
  [
    "two streams in turns",
    `04 ${full("000001", 130)} ${bytes(128)} 05 ${full("000002", 129)} ${bytes(128)} c4 aaaa c5 aa`,
    [1, 2],
  ],
] as const;

for (const [name, text, expected] of FORMS) {
  test(`reader: ${name}`, () => {
    assert.deepEqual(timestamps(read(text)), expected);
    const whole = hex(text);
    const single = Array.from(whole, (byte) => Uint8Array.of(byte));
    assert.deepEqual(readAll(single), readAll([whole]));
  });
}

test("SetChunkSize holds from the next chunk on, also within another message", () => {
  const messages = read(
    `04 ${full("000001", 200)} ${bytes(128)} 02 000000 000004 01 00000000 00000001 ${"c4 aa".repeat(72)}`,
  );
  assert.deepEqual(
    messages.map(({ type, payload }) => [type, payload.length]),
    [
      [TYPE.setChunkSize, 4],
      [TYPE.audio, 200],
    ],
  );
});

test("Abort throws away what came of a message; the next one is whole", () => {
  const messages = read(
    `04 ${full("000001", 200)} ${bytes(128)} 02 000000 000004 02 00000000 00000004 04 ${full("000009", 2)} bbbb`,
  );
  assert.deepEqual(messages.at(-1)?.payload, hex("bbbb"));
  assert.deepEqual(timestamps(messages), [0, 9]);
});

test("a new header in the middle of a message begins another one", () => {
  const messages = read(`04 ${full("000001", 200)} ${bytes(128)} 04 ${full("000002", 1)} cc`);
  assert.deepEqual(
    messages.map(({ payload }) => payload),
    [hex("cc")],
  );
});

const BROKEN = [
  ["a chunk stream that begins without a header", "c3", "rtmp.chunk.noHeader"],
  ["a delta before any timestamp", "43 000001 000001 08 aa", "rtmp.chunk.noHeader"],
  ["a message that is too large", `04 ${full("000001", 0xff_ffff)}`, "rtmp.chunk.tooLarge"],
  ["a chunk size of 0", "02 000000 000004 01 00000000 00000000", "rtmp.chunk.size"],
  ["a chunk size with the highest bit", "02 000000 000004 01 00000000 80000000", "rtmp.chunk.size"],
  ["a SetChunkSize of two bytes", "02 000000 000002 01 00000000 0000", "bytes.short"],
] as const;

for (const [name, text, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => read(text)));
}

const streamHeader = (id: number, length: number): Uint8Array =>
  hex(`00 ${(id - 64).toString(16).padStart(2, "0")} ${full("000001", length)}`);

test("more chunk streams than allowed break a rule", () => {
  const headers = Array.from({ length: 65 }, (_, i) => join([streamHeader(64 + i, 1), hex("aa")]));
  breaksRule("rtmp.chunk.streams", () => readAll(headers));
});

test("unfinished messages of all chunk streams together are bounded", () => {
  const limits = { ...LIMITS, unfinished: 5000 };
  const flood = Array.from({ length: 60 }, (_, i) =>
    join([streamHeader(64 + i, 1 << 20), new Uint8Array(128)]),
  );
  breaksRule("rtmp.chunk.unfinished", () => readAll(flood, new ChunkReader(limits)));
});

test("announced lengths cost no memory before the bytes come", () => {
  const before = process.memoryUsage().arrayBuffers;
  const reader = new ChunkReader(SERVER_LIMITS);
  for (let i = 0; i < 60; i += 1) {
    reader.push(join([streamHeader(64 + i, 1 << 20), new Uint8Array(128)]));
    assert.equal(reader.next(), undefined);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 << 20);
  assert.equal(reader.next(), undefined);
});

test("a message of 16 MB less one is read when the limit allows it, in chunks of its size", () => {
  const reader = new ChunkReader({ ...LIMITS, messageSize: 0xff_ffff, unfinished: 32 << 20 });
  const size = hex("02 000000 000004 01 00000000 01000000");
  const payload = new Uint8Array(0xff_ffff).fill(7);
  const [, message] = readAll([size, hex(`04 ${full("000001", 0xff_ffff)}`), payload], reader);
  assert.equal(message?.payload.length, 0xff_ffff);
});

/** What the writer sends, by the headers of 5.3.1. */
const WRITTEN = [
  ["begins with a full header", [[5, 1, 2]], "04 000005 000002 08 01000000 aaaa"],
  [
    "says only the delta when length and type stay",
    [
      [5, 1, 2],
      [8, 1, 2],
    ],
    "04 000005 000002 08 01000000 aaaa 84 000003 aaaa",
  ],
  [
    "says the length when it changes",
    [
      [5, 1, 2],
      [8, 1, 1],
    ],
    "04 000005 000002 08 01000000 aaaa 44 000003 000001 08 aa",
  ],
  [
    "begins anew for another message stream, and for a timestamp that goes back",
    [
      [5, 1, 1],
      [5, 2, 1],
      [4, 2, 1],
    ],
    "04 000005 000001 08 01000000 aa 04 000005 000001 08 02000000 aa 04 000004 000001 08 02000000 aa",
  ],
  [
    "extends a timestamp from 0xFFFFFF on",
    [[0xff_ffff, 1, 1]],
    `04 ${full("ffffff", 1)} 00ffffff aa`,
  ],
  [
    "repeats the extended timestamp in every chunk",
    [[0x0100_0000, 1, 130]],
    `04 ${full("ffffff", 130)} 01000000 ${bytes(128)} c4 01000000 aaaa`,
  ],
  [
    "writes a delta too large for three bytes as a timestamp",
    [
      [1, 1, 1],
      [0x0100_0000, 1, 1],
    ],
    `04 ${full("000001", 1)} aa 04 ${full("ffffff", 1)} 01000000 aa`,
  ],
  [
    "returns to three bytes when the timestamp wraps",
    [
      [0xffff_ffff, 1, 1],
      [0x1_0000_0004, 1, 1],
    ],
    `04 ${full("ffffff", 1)} ffffffff aa 84 000005 aa`,
  ],
  ["sends an empty message as a header alone", [[1, 1, 0]], `04 ${full("000001", 0)}`],
] as const;

for (const [name, messages, expected] of WRITTEN) {
  test(`the writer ${name}`, () => {
    const writer = new ChunkWriter();
    const sent = messages.flatMap(([timestamp, streamId, length]) =>
      writer.write({ type: 8, streamId, timestamp, payload: new Uint8Array(length).fill(0xaa) }, 4),
    );
    assert.deepEqual(join(sent), hex(expected));
  });
}

test("payloads leave the writer as views", () => {
  const payload = new Uint8Array(300);
  const pieces = new ChunkWriter().write({ type: 9, streamId: 1, timestamp: 0, payload }, 6);
  assert.equal(pieces.filter(({ buffer }) => buffer === payload.buffer).length, 3);
});

const message = fc.record({
  id: fc.constantFrom(2, 3, 4, 6, 63),
  type: fc.constantFrom(3, 8, 9, 18, 20),
  streamId: fc.constantFrom(0, 1, 0xffff_ffff),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 0xff_fff0, max: 0x100_0010 }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  ),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 0, max: 1000 }).map((length) => new Uint8Array(length).fill(length)),
  ),
});

function write(
  messages: readonly (RawMessage & { readonly id: number })[],
  chunkSize: number,
): Uint8Array {
  const writer = new ChunkWriter();
  const announced = new ChunkWriter().write(
    { type: 1, streamId: 0, timestamp: 0, payload: hex(chunkSize.toString(16).padStart(8, "0")) },
    2,
  );
  writer.setChunkSize(chunkSize);
  // Chunk stream 2 has had a header now, of a writer of its own.
  return join([...announced, ...messages.flatMap(({ id, ...rest }) => writer.write(rest, id))]);
}

test("what the writer sends, the reader gets back, wherever the bytes are cut", () => {
  const cases = fc.record({
    messages: fc.array(message, { maxLength: 20 }),
    chunkSize: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 0x7fff_ffff })),
    lengths: cuts(),
  });
  always(cases, ({ messages, chunkSize, lengths }) => {
    const [, ...got] = readAll(cut(write(messages, chunkSize), lengths));
    assert.deepEqual(
      got,
      messages.map(({ id, ...rest }) => rest),
    );
  });
});

test("bytes may be overwritten as soon as nothing more comes of them", () => {
  const cases = fc.record({ messages: fc.array(message, { maxLength: 20 }), lengths: cuts() });
  always(cases, ({ messages, lengths }) => {
    const reader = new ChunkReader(LIMITS);
    const got: RawMessage[] = [];
    for (const part of cut(write(messages, 100), lengths)) {
      const bytes = part.slice();
      reader.push(bytes);
      for (let next = reader.next(); next !== undefined; next = reader.next()) got.push(next);
      bytes.fill(0xee);
    }
    assert.deepEqual(
      got.slice(1),
      messages.map(({ id, ...rest }) => rest),
    );
  });
});

test("what the reader accepts, the writer can send again, and it reads the same", () => {
  const start = hex(`03 ${full("000005", 4)} aaaaaaaa`);
  always(fc.uint8Array({ maxLength: 400 }), (tail) => {
    const reader = new ChunkReader(LIMITS);
    const accepted: RawMessage[] = [];
    unlessRuleBroken(() => {
      reader.push(join([start, tail]));
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        accepted.push({ ...next, payload: next.payload.slice() });
      }
    });
    const plain = accepted.filter(({ type }) => type !== TYPE.setChunkSize && type !== TYPE.abort);
    const writer = new ChunkWriter();
    assert.deepEqual(readAll([join(plain.flatMap((one) => writer.write(one, 5)))]), plain);
  });
});

test("random bytes in any pieces give messages no longer than the input, or a broken rule", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc
      .array(fc.constantFrom("03", "c3", "83", "43", "ffffff", "000000", "000004", "01", "aa"), {
        maxLength: 120,
      })
      .map((all) => hex(all.join(""))),
  );
  always(fc.tuple(noise, cuts()), ([input, lengths]) => {
    const messages = unlessRuleBroken(() => readAll(cut(input, lengths))) ?? [];
    const size = messages.reduce((sum, { payload }) => sum + payload.length, 0);
    assert.ok(size <= input.length);
    const whole = unlessRuleBroken(() => readAll([input]));
    if (whole !== undefined) assert.deepEqual(messages, whole);
  });
});
