import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { KeyframeRequester } from "./keyframe-requester.ts";

const GAP = micros(500_000);
const newRequester = (pli = true, fir = true): KeyframeRequester =>
  new KeyframeRequester({ gap: GAP, pli, fir });

/** What is sent within ten seconds of 10 ms steps, with the times. */
function poll(requester: KeyframeRequester, from = 0, seconds = 10): string[] {
  const sent: string[] = [];
  for (let at = from; at < from + seconds * 1_000_000; at += 10_000) {
    const way = requester.poll(micros(at), false);
    if (way !== undefined) sent.push(`${way} ${at / 1000}`);
  }
  return sent;
}

test("nobody asks: nothing is sent", () => {
  assert.deepEqual(poll(newRequester()), []);
});

test("many wishes make one request, and a keyframe answers them all", () => {
  const requester = newRequester();
  for (let i = 0; i < 10; i++) requester.request("routine");
  assert.equal(requester.poll(micros(0), false), "pli");
  requester.request("routine");
  requester.onKeyframe();
  assert.deepEqual(poll(requester), []);
  assert.equal(requester.sent, 1);
});

test("a wish too soon after a request waits for the gap", () => {
  const requester = newRequester();
  requester.request("routine");
  requester.poll(micros(0), false);
  requester.onKeyframe();
  requester.request("routine");
  assert.deepEqual(poll(requester, 100_000, 1).slice(0, 1), ["pli 500"]);
});

test("without an answer the requests go on, further apart, PLI and FIR in turn", () => {
  const requester = newRequester();
  requester.request("routine");
  assert.deepEqual(poll(requester), [
    "pli 0",
    "pli 500",
    "fir 1000",
    "pli 2000",
    "fir 4000",
    "pli 8000",
  ]);
});

test("while the picture is frozen three requests may follow closely, and then one in each gap", () => {
  const requester = new KeyframeRequester({ gap: micros(1_000_000), pli: true, fir: false });
  const sent: number[] = [];
  for (let at = 0; at < 10_000_000; at += 10_000) {
    requester.request("urgent");
    if (requester.poll(micros(at), false) === undefined) continue;
    sent.push(at / 1000);
    requester.onKeyframeStart();
  }
  assert.deepEqual(sent.slice(0, 3), [0, 330, 660]);
  assert.ok(sent.length <= 3 + 10, `${sent}`);
  for (const [i, at] of sent.entries()) assert.ok(at - (sent[i - 1] ?? -330) >= 330);
});

test("a loss right after a keyframe is asked for again without the gap", () => {
  const requester = new KeyframeRequester({ gap: micros(1_000_000), pli: true, fir: true });
  requester.request("routine");
  requester.poll(micros(0), false);
  requester.onKeyframe();
  requester.request("routine");
  requester.request("urgent");
  requester.request("routine");
  assert.deepEqual(poll(requester, 100_000, 1).slice(0, 1), ["pli 330"]);
});

test("nothing is asked for while a keyframe is coming", () => {
  const requester = newRequester();
  requester.request("urgent");
  assert.equal(requester.poll(micros(0), true), undefined);
  assert.equal(requester.poll(micros(10_000), false), "pli");
});

test("the way that was answered is used first the next time", () => {
  const requester = newRequester();
  requester.request("routine");
  poll(requester, 0, 1.5);
  requester.onKeyframe();
  requester.request("routine");
  assert.equal(requester.poll(micros(5_000_000), false), "fir");
});

test("only what was negotiated is sent", () => {
  for (const [pli, fir, allowed] of [
    [true, false, ["pli"]],
    [false, true, ["fir"]],
    [false, false, []],
  ] as const) {
    const requester = newRequester(pli, fir);
    requester.request("routine");
    const ways = new Set(poll(requester).map((sent) => sent.slice(0, 3)));
    assert.deepEqual([...ways], allowed);
  }
});
