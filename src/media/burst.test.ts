import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { Burst } from "./burst.ts";

const MARKED = 0x80;
const packet = (number: number, marker = 0): Uint8Array => Uint8Array.of(0x80, 96 | marker, number);

/** Everything that waits: the third byte of each, and when it came. */
function drained(burst: Burst): [number | undefined, number][] {
  const all: [number | undefined, number][] = [];
  burst.drain((bytes, arrival) => all.push([bytes[2], arrival]));
  return all;
}

test("packets wait for the last one of their picture", () => {
  const burst = new Burst();
  assert.equal(burst.empty, true);
  assert.equal(burst.add(packet(1), micros(100)), false);
  assert.equal(burst.empty, false);
  assert.equal(burst.add(packet(2), micros(200)), false);
  assert.equal(burst.add(packet(3, MARKED), micros(300)), true);
  assert.deepEqual(drained(burst), [
    [1, 100],
    [2, 200],
    [3, 300],
  ]);
  assert.equal(burst.empty, true);
  assert.deepEqual(drained(burst), []);
});

test("a packet that comes 5 ms after the first that waits ends the wait", () => {
  const burst = new Burst();
  assert.equal(burst.add(packet(1), micros(1000)), false);
  assert.equal(burst.add(packet(2), micros(5999)), false);
  assert.equal(burst.add(packet(3), micros(6000)), true);
});

test("RTCP does not wait, nor do more packets than there is room for", () => {
  const burst = new Burst();
  assert.equal(burst.add(Uint8Array.of(0x80, 200, 0), micros(0)), true);
  drained(burst);
  const verdicts = Array.from({ length: 32 }, (_, n) => burst.add(packet(n), micros(0)));
  assert.deepEqual(verdicts, [...new Array(31).fill(false), true]);
  assert.equal(drained(burst).length, 32);
});

test("a datagram of one byte is held like any other", () => {
  const burst = new Burst();
  assert.equal(burst.add(Uint8Array.of(1), micros(0)), false);
  assert.equal(burst.add(new Uint8Array(0), micros(0)), false);
  assert.equal(drained(burst).length, 2);
});
