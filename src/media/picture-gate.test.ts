import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../base/time.ts";
import { NalType, wholeNalUnit } from "../codec/h264/nal-unit.ts";
import { PictureGate, type PictureUnit } from "./picture-gate.ts";

const unit = (...types: readonly number[]): PictureUnit => ({
  key: types.includes(NalType.idr),
  nalUnits: types.map((type) => wholeNalUnit(Uint8Array.of(0x60 | type, 1))),
});
const KEY = unit(NalType.sps, NalType.pps, NalType.idr);
const BARE_KEY = unit(NalType.idr);
const SETS = unit(NalType.sps, NalType.pps);
const DELTA = unit(NalType.slice);
const at = (n: number): ReturnType<typeof micros> => micros(n);

test("nothing passes before the first keyframe with its parameter sets, except these sets", () => {
  const gate = new PictureGate();
  assert.equal(gate.admit(DELTA, at(0)), false);
  assert.equal(gate.admit(BARE_KEY, at(0)), false);
  assert.equal(gate.admit(SETS, at(0)), true);
  assert.equal(gate.open, false);
  assert.equal(gate.admit(BARE_KEY, at(0)), true);
  assert.equal(gate.admit(DELTA, at(0)), true);
  assert.equal(gate.dropped, 2);
  assert.equal(gate.frozen(at(99)), 0);
});

test("after a loss it is shut until a keyframe, and the time counts as frozen", () => {
  const gate = new PictureGate();
  gate.admit(KEY, at(0));
  gate.lose(at(100));
  assert.equal(gate.admit(DELTA, at(200)), false);
  gate.lose(at(250));
  assert.equal(gate.frozen(at(300)), 200);
  assert.equal(gate.admit(KEY, at(400)), true);
  assert.equal(gate.frozen(at(500)), 300);
});

test("a sender that sends its parameter sets only once is understood", () => {
  const gate = new PictureGate();
  gate.admit(KEY, at(0));
  gate.admit(BARE_KEY, at(1));
  gate.lose(at(2));
  assert.equal(gate.admit(BARE_KEY, at(3)), true);
});

test("a sender that stops repeating its parameter sets costs one keyframe, not the stream", () => {
  const gate = new PictureGate();
  gate.admit(KEY, at(0));
  gate.lose(at(1));
  assert.equal(gate.admit(BARE_KEY, at(2)), false);
  assert.equal(gate.admit(BARE_KEY, at(3)), true);
});

test("parameter sets in a unit of their own count for the keyframe after them", () => {
  const gate = new PictureGate();
  gate.admit(KEY, at(0));
  gate.lose(at(1));
  gate.admit(SETS, at(2));
  assert.equal(gate.admit(BARE_KEY, at(3)), true);
});

test("whatever happens, no delta picture passes between a loss and a keyframe", () => {
  const event = fc.constantFrom<"lose" | PictureUnit>("lose", KEY, BARE_KEY, SETS, DELTA);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 100 }), (events) => {
      const gate = new PictureGate();
      let sound = false;
      events.forEach((each, index) => {
        if (each === "lose") {
          gate.lose(at(index));
          sound = false;
        } else if (gate.admit(each, at(index)) && each !== SETS) {
          assert.ok(each !== DELTA || sound);
          sound = true;
        }
      });
    }),
    { numRuns: 200 },
  );
});
