import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../base/time.ts";
import { Repeated } from "./repeated.ts";

test("the first occurrence is reported at once", () => {
  assert.deepEqual(new Repeated().happened(micros(0)), { count: 1 });
});

test("what came in between is counted in the next report", () => {
  const repeated = new Repeated(micros(100));
  repeated.happened(micros(0));
  assert.equal(repeated.happened(micros(1)), undefined);
  assert.equal(repeated.happened(micros(99)), undefined);
  assert.deepEqual(repeated.happened(micros(100)), { count: 3 });
  assert.equal(repeated.happened(micros(101)), undefined);
});

test("nothing is lost and no two reports are closer than the interval", () => {
  const gaps = fc.array(fc.nat(300), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, (list) => {
      const repeated = new Repeated(micros(250));
      const reports: { at: number; count: number }[] = [];
      let now = 0;
      for (const gap of list) {
        now += gap;
        const report = repeated.happened(micros(now));
        if (report !== undefined) reports.push({ at: now, count: report.count });
      }
      // One more, late enough to flush what is held back.
      const rest = repeated.happened(micros(now + 250))?.count ?? 0;
      const total = reports.reduce((sum, { count }) => sum + count, rest);
      assert.equal(total, list.length + 1);
      for (const [i, { at }] of reports.entries()) {
        assert.ok(i === 0 || at - (reports[i - 1]?.at ?? 0) >= 250);
      }
    }),
    { numRuns: 200 },
  );
});
