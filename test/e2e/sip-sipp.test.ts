/** Calls that do not go well, and their signalling: SIPp plays the other side. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Call, SipLab } from "../support/sip-calls.ts";
import { answer, incoming, pause, type Sipp, sdp, take } from "../support/sipp.ts";

let lab: SipLab;
before(async () => {
  lab = await SipLab.open({ sip_answer_timeout_s: 5, sip_media_timeout_ms: 2000 });
});
after(() => lab?.close());

const callee = (...args: Parameters<SipLab["callee"]>): Promise<Sipp> => lab.callee(...args);
const startCall = (sipp: Sipp, more?: object): Promise<Call> => lab.startCall(sipp, more);
const untilStatus = (wanted: string, call: Call) => lab.untilStatus(wanted, call);
const terminate = (call: Call) => lab.terminate(call);
const rest = (path: string, body: object) => lab.server.rest(path, body);

const AUDIO = sdp("m=audio 6000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000");
const CHALLENGE = answer(401, {
  headers: ['WWW-Authenticate: Digest realm="sip.test", nonce="4f1a", algorithm=MD5, qop="auth"'],
});
const check = (secret: string): string =>
  `<verifyauth assign_to="valid" username="tester" password="${secret}"/>`;

test("a challenge is answered with the right digest, and the call is taken", async () => {
  const sipp = await callee([
    ...[incoming(), CHALLENGE, take("ACK"), incoming(check(lab.password))],
    '<nop test="valid" next="right"/>',
    ...[answer(403), take("ACK"), '<nop next="over"/>', '<label id="right"/>'],
    ...[answer(200, { sdp: AUDIO }), take("ACK"), take("BYE"), answer(200, { inDialog: true })],
    '<label id="over"/>',
  ]);
  const call = await startCall(sipp);
  await untilStatus("ESTABLISHED", call);
  await terminate(call);
  assert.equal((await untilStatus("FINISHED", call)).sipStatus, 200);
  await sipp.done;
});

test("a wrong password is told, the name is free again, and the password is in no log", async () => {
  const again = [CHALLENGE, take("ACK")];
  const sipp = await callee([incoming(), ...again, incoming(), pause(300), ...again]);
  const call = await startCall(sipp);
  await lab.push(call);
  const { reason, sipStatus } = await untilStatus("FAILED", call);
  assert.deepEqual([reason?.code, sipStatus], ["sipAuthFailed", 401]);
  const gone = await rest("/push/startup", {
    streamName: call.toStream,
    rtmpUrl: lab.nginx.url,
  });
  assert.equal(gone.status, 404);
  await sipp.done;
  assert.ok(!lab.server.output().includes(lab.password));
});

test("a call registers first where that is asked for, and leaves at its end", async () => {
  const sipp = await callee(
    [
      '<recv request="REGISTER" optional="true" next="register"/>',
      ...[incoming(), answer(200, { sdp: AUDIO }), take("ACK"), take("BYE")],
      ...[answer(200, { inDialog: true }), '<nop next="over"/>', '<label id="register"/>'],
      ...[answer(200, { inDialog: true, headers: ["Expires: 60"] }), take("REGISTER")],
      ...[answer(200, { inDialog: true }), '<label id="over"/>'],
    ],
    { calls: 2 },
  );
  const call = await startCall(sipp, { sipRegisterRequired: "true" });
  await untilStatus("ESTABLISHED", call);
  await terminate(call);
  await sipp.done;
});

test("a call that is taken and sends nothing is hung up after its time, and its push ends", async () => {
  const sipp = await callee([
    ...[incoming(), answer(200, { sdp: AUDIO }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await startCall(sipp);
  const streamName = await lab.push(call);
  assert.equal((await untilStatus("FAILED", call)).reason?.code, "mediaTimeout");
  await lab.server.restUntil("/push/find", { streamName }, (status) => status === 404);
  await sipp.done;
});

test("busy is told as such", async () => {
  const sipp = await callee([incoming(), answer(100), answer(486), take("ACK")]);
  const call = await startCall(sipp);
  assert.equal((await untilStatus("BUSY", call)).sipStatus, 486);
  await sipp.done;
});

test("a call that nobody takes rings, and is cancelled after its time", async () => {
  const sipp = await callee([
    ...[incoming(), answer(180), take("CANCEL"), answer(200, { inDialog: true })],
    message487(),
    take("ACK"),
  ]);
  const call = await startCall(sipp);
  await untilStatus("RING", call);
  assert.equal((await untilStatus("FAILED", call)).reason?.code, "sipNoAnswer");
  await sipp.done;
});

/** The refusal of the INVITE, whose fields are not those of the CANCEL that came last. */
function message487(): string {
  return answer(487).replace("[last_CSeq:]", "CSeq: 1 INVITE");
}

test("two calls of one id, or into one name, are a conflict", async () => {
  const sipp = await callee([
    incoming(),
    answer(180),
    take("CANCEL"),
    answer(200),
    message487(),
    take("ACK"),
  ]);
  const call = await startCall(sipp);
  await untilStatus("RING", call);
  const base = { callee: "x", sipDomain: "127.0.0.1", sipPort: sipp.port };
  const twice = await rest("/call/startup", {
    ...base,
    callId: call.callId,
    toStream: "other",
  });
  assert.equal(twice.status, 409);
  const taken = await rest("/call/startup", {
    ...base,
    callId: "other",
    toStream: call.toStream,
  });
  assert.equal(taken.status, 409);
  await terminate(call);
  await untilStatus("FINISHED", call);
  assert.equal((await terminate(call)).status, 404);
});

test("what cannot be a call is refused with the field named", async () => {
  const base = { toStream: "x1", callee: "y", sipDomain: "127.0.0.1" };
  const table: readonly (readonly [object, number, RegExp])[] = [
    [{ ...base, callee: undefined }, 400, /callee/],
    [{ ...base, toStream: undefined }, 400, /toStream/],
    [{ ...base, sipDomain: undefined }, 400, /sipDomain/],
    [{ ...base, sipPort: "0" }, 400, /sipPort/],
    [{ ...base, callee: "a\r\nX: y" }, 400, /sip\.callee/],
    [{ ...base, callee: "sips:a@b" }, 400, /sips/],
    [{ ...base, hasAudio: "false", hasVideo: "false" }, 400, /hasAudio/],
    [{ ...base, sipDomain: "no host" }, 400, /host/],
  ];
  for (const [body, wanted, words] of table) {
    const answered = await rest("/call/startup", body);
    assert.equal(answered.status, wanted, JSON.stringify(answered));
    assert.match(JSON.stringify(answered.body), words);
  }
  assert.equal((await rest("/call/find", { callId: "nobody" })).status, 404);
  assert.equal((await rest("/call/send_dtmf", { callId: "nobody", dtmf: "1" })).status, 404);
});
