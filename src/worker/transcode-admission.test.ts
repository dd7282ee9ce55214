import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { TranscodeAdmission } from "./transcode-admission.ts";

const seconds = (n: number) => micros(n * 1_000_000);
/** 720p30 from 720p30. */
const WORK = 1.3 * 1280 * 720 * 30;
const NOTHING_YET = { cpuSeconds: 0, work: 0 };

/** A machine of four cores of which so many have been busy for ten seconds. */
function machine(busyCores: number, ceiling = 0.85) {
  let now = seconds(100);
  let busy = 0;
  const admission = new TranscodeAdmission({
    ceiling,
    readCpu: () => [{ busy, total: (now / 1_000_000) * 4, cores: 4 }],
  });
  const pass = (length: number, cores: number): void => {
    for (let i = 0; i < length * 10; i += 1) {
      now = micros(now + 100_000);
      busy += cores / 10;
      admission.sample(now);
    }
  };
  pass(10, busyCores);
  return {
    pass,
    ask: (done = NOTHING_YET, work = WORK) => admission.refuse(work, done, now),
  };
}

test("a machine with room takes an encoder, one without refuses and says why", () => {
  assert.equal(machine(1).ask(), undefined);
  assert.match(machine(3.2).ask() ?? "", /^80 % of the machine are in use, this needs 10 % more$/);
  assert.equal(machine(3.3, 0).ask(), undefined, "without a limit");
});

test("encoders that have just started count before their load is seen", () => {
  const { ask } = machine(1);
  const answers = Array.from({ length: 12 }, () => ask());
  const taken = answers.filter((answer) => answer === undefined).length;
  // 3.4 cores are allowed, 1 is in use, each is expected to take 0.4.
  assert.equal(taken, 6);
});

test("what is expected of an encoder is no longer counted once it is part of the load", () => {
  const { ask, pass } = machine(1);
  for (let i = 0; i < 6; i += 1) assert.equal(ask(), undefined);
  assert.notEqual(ask(), undefined);
  pass(4, 1.5);
  assert.equal(ask(), undefined, "they took less than expected");
});

test("what encoders were seen to take replaces the first guess", () => {
  const cheap = { cpuSeconds: 10, work: WORK * 100 };
  const dear = { cpuSeconds: 300, work: WORK * 100 };
  assert.equal(machine(3.2).ask(cheap), undefined);
  assert.notEqual(machine(1).ask(dear), undefined);
  const hardlySeen = { cpuSeconds: 300, work: WORK };
  assert.equal(machine(1).ask(hardlySeen), undefined, "too little to go by");
});

test("the load is that of the last seconds", () => {
  const { ask, pass } = machine(4);
  assert.notEqual(ask(), undefined);
  pass(3, 0.5);
  assert.equal(ask(), undefined);
});
