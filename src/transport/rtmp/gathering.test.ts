import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "../../../test/support/server.ts";
import { micros } from "../../base/time.ts";
import { Gathering } from "./gathering.ts";

const piece = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

/** Runs `work` with an open socket, and gives what came out at its other end. */
async function sent(work: (socket: Socket) => void, bytes: number): Promise<Buffer> {
  let received = Buffer.alloc(0);
  const server = createServer((socket) =>
    socket.on("data", (data: Buffer) => {
      received = Buffer.concat([received, data]);
    }),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  work(socket);
  await until("all bytes", async () => (received.length >= bytes ? true : undefined));
  socket.destroy();
  server.close();
  return received;
}

test("small and large pieces leave in the order in which they came", async () => {
  const pieces = [1, 12, 343, 10_000, 5, 70_000, 60_000, 2047, 2048, 0, 7].map(piece);
  const all = Buffer.concat(pieces);
  const gathering = new Gathering();
  const received = await sent((socket) => {
    gathering.hold(pieces.slice(0, 2));
    gathering.hold(pieces.slice(2));
    assert.equal(gathering.bytes, all.length);
    gathering.release(socket);
    assert.equal(gathering.bytes, 0);
  }, all.length);
  assert.deepEqual(received, all);
});

test("what a slow peer has not taken yet stays as it was, whatever leaves meanwhile", async () => {
  const pieces = Array.from({ length: 600 }, (_, i) => piece(1 + ((i * 7919) % 30_000), i));
  const all = Buffer.concat(pieces);
  const gathering = new Gathering();
  const received = await sent((socket) => {
    for (const one of pieces) {
      gathering.hold([one.subarray(0, 1), one.subarray(1)]);
      gathering.release(socket);
    }
    assert.ok(socket.writableLength > 0, "the kernel has taken all");
  }, all.length);
  assert.ok(received.equals(all));
});

test("what waits has waited long enough 30 ms after it was found, whatever joined it meanwhile", () => {
  const gathering = new Gathering();
  const tick = (ms: number): boolean => gathering.tick(micros(ms * 1000));
  assert.equal(tick(0), false);
  gathering.hold([piece(3, 1)]);
  assert.deepEqual([tick(100), tick(120)], [false, false]);
  gathering.hold([piece(3, 1)]);
  assert.deepEqual([tick(129), tick(130)], [false, true]);
});

test("nothing is written to a socket that is closed", async () => {
  const gathering = new Gathering();
  await sent((socket) => {
    gathering.hold([piece(3, 1)]);
    socket.destroy();
    gathering.release(socket);
    assert.equal(gathering.bytes, 0);
  }, 0);
});
