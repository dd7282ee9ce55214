import assert from "node:assert/strict";
import { test } from "node:test";
import { Dialogue } from "../../../test/support/rtmp-dialogue.ts";
import { micros } from "../../base/time.ts";
import { amf0Object } from "../amf0/value.ts";

const REFUSALS = [
  ["connect", "_error", 1, "NetConnection.Connect.Rejected", "error"],
  ["connect", "_error", 1, "", ""],
  ["connect", "onStatus", 0, "NetConnection.Connect.Closed", "status"],
  ["connect", "close", 0, "", ""],
  ["createStream", "_error", 4, "NetConnection.Call.Failed", "error"],
  ["publish", "_error", 5, "NetStream.Publish.Denied", "error"],
  ["publish", "onStatus", 0, "NetStream.Publish.BadName", "error"],
  ["publish", "onStatus", 0, "NetStream.Publish.BadName", "status"],
  ["publish", "onStatus", 0, "NetStream.Publish.Denied", "error"],
  ["publish", "onStatus", 0, "NetStream.Publish.Rejected", "error"],
  ["publish", "onStatus", 0, "NetStream.Authenticate.UsherToken", "error"],
  ["media", "onStatus", 0, "NetStream.Failed", "error"],
  ["media", "onStatus", 0, "NetConnection.Connect.Closed", "status"],
  ["media", "close", 0, "", ""],
] as const;

for (const [step, name, transaction, code, level] of REFUSALS) {
  test(`${name} ${code} (level "${level}") at ${step} ends the session there`, () => {
    const dialogue = new Dialogue().until(step);
    const before = dialogue.outcomes.length;
    const info = code === "" ? [] : [amf0Object({ level, code, description: "key is taken" })];
    dialogue.command(name, transaction, null, ...info);
    const [refused, ...more] = dialogue.outcomes.slice(before);
    assert.ok(refused?.kind === "rejected");
    assert.deepEqual(more, []);
    assert.deepEqual([refused.refusal.step, refused.refusal.code], [step, code]);
    assert.deepEqual([dialogue.session.step, dialogue.session.deadline], ["over", undefined]);
  });
}

test("what is no refusal does not end a running push", () => {
  const dialogue = new Dialogue().until("media");
  for (const code of [
    "NetStream.Publish.Idle",
    "NetConnection.Connect.ReconnectRequest",
    "Any.Thing",
  ]) {
    dialogue.command("onStatus", 0, null, amf0Object({ level: "status", code }));
  }
  dialogue.command("_error", 2, null, amf0Object({ level: "error", code: "x" }));
  assert.equal(dialogue.session.step, "media");
});

for (const mode of ["adobe", "llnw"] as const) {
  test(`a connect refused for ${mode} authentication says what is wanted`, () => {
    const dialogue = new Dialogue().until("connect");
    const description = `[ AccessManager.Reject ] : [ code=403 need auth; authmod=${mode} ] : `;
    const info = { level: "error", code: "NetConnection.Connect.Rejected", description };
    dialogue.command("_error", 1, null, amf0Object(info));
    const [refused] = dialogue.outcomes;
    assert.ok(refused?.kind === "rejected");
    assert.deepEqual(refused.refusal.demand, { kind: "user", mode });
  });
}

test("a demand for authentication after connect is a plain refusal", () => {
  const dialogue = new Dialogue().until("publish");
  const info = { level: "error", code: "X", description: "authmod=adobe" };
  dialogue.command("onStatus", 0, null, amf0Object(info));
  const [refused] = dialogue.outcomes;
  assert.ok(refused?.kind === "rejected");
  assert.equal(refused.refusal.demand, undefined);
});

for (const step of ["handshake", "connect", "createStream", "publish"] as const) {
  test(`a server that falls silent before ${step} is answered is given up at the deadline`, () => {
    const dialogue = new Dialogue({ timeout: micros(1000) });
    if (step !== "handshake") dialogue.until(step);
    assert.equal(dialogue.session.deadline, 1000);
    dialogue.session.wake(micros(999));
    dialogue.poll();
    assert.deepEqual(dialogue.outcomes, []);
    dialogue.session.wake(micros(1000));
    dialogue.session.wake(micros(2000));
    dialogue.poll();
    assert.deepEqual(dialogue.outcomes, [{ kind: "timedOut", step }]);
  });
}
