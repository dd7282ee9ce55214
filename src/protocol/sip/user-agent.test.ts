import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { PEER, SipDesk, textOf } from "../../../test/support/sip-desk.ts";
import { parseCSeq, topVia } from "./via.ts";

const CHALLENGE = 'Digest realm="r", nonce="n1", qop="auth"';

test("a call is offered, rings, is taken, acknowledged and hung up", () => {
  const desk = new SipDesk();
  const invite = desk.last("INVITE");
  assert.equal(invite.uri, "sip:bob@example.org");
  assert.equal(textOf(invite), "our offer");
  desk.reply(invite, 100);
  desk.reply(invite, 180);
  desk.establish();
  assert.deepEqual(desk.log, ["100", "180", "established"]);
  assert.deepEqual(desk.answers, ["their answer"]);
  const ack = desk.last("ACK");
  assert.equal(ack.uri, `sip:bob@${PEER.host}:5060`);
  assert.equal(parseCSeq(ack).number, parseCSeq(invite).number);
  assert.deepEqual(desk.hops.at(-1), PEER);
  desk.agent.hangUp(desk.now as never);
  desk.reply(desk.last("BYE"), 200);
  desk.run(0.1);
  assert.equal(desk.log.at(-1), "stopped");
  assert.ok(desk.agent.done);
});

test("over UDP an INVITE is sent again, faster first, and given up after 32 s", () => {
  const desk = new SipDesk();
  desk.run(31.9);
  assert.equal(desk.requests("INVITE").length, 7);
  assert.deepEqual(desk.log, []);
  desk.run(0.2);
  assert.deepEqual(desk.log, ["unreachable"]);
  assert.ok(desk.agent.done);
});

test("over TCP nothing is sent twice", () => {
  const desk = new SipDesk({ transport: "TCP" });
  desk.run(20);
  assert.equal(desk.requests("INVITE").length, 1);
  assert.match(desk.last("INVITE").headers.get("contact") ?? "", /transport=tcp/);
});

test("an INVITE that rings is not sent again, and is cancelled when nobody takes it", () => {
  const desk = new SipDesk();
  const invite = desk.last("INVITE");
  desk.reply(invite, 180);
  desk.run(59.9);
  assert.equal(desk.requests("INVITE").length, 1);
  desk.run(0.2);
  assert.deepEqual(desk.log, ["180", "noAnswer"]);
  const cancel = desk.last("CANCEL");
  assert.equal(topVia(cancel).parameters.get("branch"), topVia(invite).parameters.get("branch"));
  desk.reply(cancel, 200);
  desk.reply(invite, 487);
  assert.equal(desk.requests("ACK").length, 1);
  desk.run(0.1);
  assert.ok(desk.agent.done);
});

test("a cancellation waits for the first sign of life (RFC 3261, 9.1)", () => {
  const desk = new SipDesk();
  desk.agent.hangUp(desk.now as never);
  desk.run(0.4);
  assert.equal(desk.requests("CANCEL").length, 0);
  desk.reply(desk.last("INVITE"), 100);
  assert.equal(desk.requests("CANCEL").length, 1);
});

test("a call that is taken while it is cancelled is hung up", () => {
  const desk = new SipDesk();
  desk.reply(desk.last("INVITE"), 180);
  desk.agent.hangUp(desk.now as never);
  desk.establish();
  assert.equal(desk.requests("ACK").length, 1);
  desk.reply(desk.last("BYE"), 200);
  desk.run(0.1);
  assert.deepEqual(desk.log, ["180", "stopped"]);
  assert.ok(desk.agent.done);
});

for (const [status, kind] of [
  [486, "busy"],
  [600, "busy"],
  [404, "refused"],
  [603, "refused"],
  [480, "noAnswer"],
  [488, "media"],
  [302, "refused"],
] as const) {
  test(`a refusal with ${status} ends as ${kind}, and is acknowledged as often as it comes`, () => {
    const desk = new SipDesk();
    const invite = desk.last("INVITE");
    desk.reply(invite, status);
    desk.reply(invite, status);
    assert.deepEqual(desk.log, [kind]);
    assert.equal(desk.ends[0]?.status, status);
    assert.equal(desk.requests("ACK").length, 2);
  });
}

test("a challenge is answered with a higher number, and later requests come with credentials", () => {
  const desk = new SipDesk();
  const first = desk.last("INVITE");
  desk.reply(first, 407, { headers: { "Proxy-Authenticate": CHALLENGE } });
  const second = desk.last("INVITE");
  assert.equal(parseCSeq(second).number, parseCSeq(first).number + 1);
  assert.match(second.headers.get("proxy-authorization") ?? "", /nc=00000001/);
  desk.establish();
  desk.agent.hangUp(desk.now as never);
  assert.match(desk.last("BYE").headers.get("proxy-authorization") ?? "", /nc=00000002/);
});

test("a proxy and the callee may both ask", () => {
  const desk = new SipDesk();
  desk.reply(desk.last("INVITE"), 407, { headers: { "Proxy-Authenticate": CHALLENGE } });
  desk.reply(desk.last("INVITE"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  const { headers } = desk.last("INVITE");
  assert.ok(headers.get("authorization") && headers.get("proxy-authorization"));
  desk.establish();
  assert.deepEqual(desk.log, ["established"]);
});

test("a wrong password is tried once, an old nonce again", () => {
  const wrong = new SipDesk();
  wrong.reply(wrong.last("INVITE"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  wrong.reply(wrong.last("INVITE"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  assert.deepEqual(wrong.log, ["authFailed"]);
  assert.equal(wrong.requests("INVITE").length, 2);
  const stale = new SipDesk();
  stale.reply(stale.last("INVITE"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  const fresh = 'Digest realm="r", nonce="n2", stale=true';
  stale.reply(stale.last("INVITE"), 401, { headers: { "WWW-Authenticate": fresh } });
  assert.match(stale.last("INVITE").headers.get("authorization") ?? "", /nonce="n2"/);
  for (let i = 0; i < 9; i += 1) {
    stale.reply(stale.last("INVITE"), 401, { headers: { "WWW-Authenticate": fresh } });
  }
  assert.ok(stale.requests("INVITE").length < 7, "no endless circle");
});

test("the password is in nothing that is sent", () => {
  const password = randomBytes(9).toString("hex");
  const desk = new SipDesk({ password });
  desk.reply(desk.last("INVITE"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  desk.establish();
  assert.ok(!JSON.stringify(desk.sent).includes(password));
});

test("early media is told as such; an answer without a description takes it over", () => {
  const desk = new SipDesk();
  desk.reply(desk.last("INVITE"), 183, { body: "early" });
  desk.reply(desk.last("INVITE"), 200);
  assert.deepEqual(desk.answers, ["early early"]);
  assert.deepEqual(desk.log, ["183", "established"]);
});

test("an answer without any description is hung up", () => {
  const desk = new SipDesk();
  desk.reply(desk.last("INVITE"), 200);
  assert.deepEqual(desk.log, ["media"]);
  assert.equal(desk.requests("BYE").length, 1);
});

test("a repeated success is acknowledged again, one of another branch is hung up", () => {
  const desk = new SipDesk();
  const invite = desk.last("INVITE");
  desk.establish();
  desk.establish();
  assert.equal(desk.requests("ACK").length, 2);
  desk.reply(invite, 200, { tag: "fork", body: "late" });
  assert.match(desk.last("BYE").headers.get("to") ?? "", /tag=fork/);
  assert.deepEqual(desk.log, ["established"]);
});

test("the other side hangs up: it is answered, also when it asks again", () => {
  const desk = new SipDesk();
  desk.establish();
  desk.ask("BYE", 7);
  desk.ask("BYE", 7);
  const [first, second] = desk.responses();
  assert.deepEqual([first?.status, second?.status], [200, 200]);
  assert.match(first?.headers.get("via") ?? "", /rport=5060;received=192\.0\.2\.9/);
  assert.deepEqual(desk.log, ["established", "hungUp"]);
  desk.run(1.1);
  assert.ok(desk.agent.done);
});

test("a goodbye from somebody else is none", () => {
  const desk = new SipDesk();
  desk.establish();
  desk.ask("BYE", 7, { tag: "stranger" });
  assert.equal(desk.responses()[0]?.status, 481);
  assert.deepEqual(desk.log, ["established"]);
});

test("another offer is answered, its answer repeated until it is acknowledged", () => {
  const desk = new SipDesk();
  desk.establish();
  desk.offerAnswer = "our answer";
  desk.ask("INVITE", 3, { body: "hold" });
  desk.run(1.6);
  const answers = desk.responses();
  assert.equal(answers.length, 3);
  assert.ok(answers.every(({ status }) => status === 200));
  desk.ask("INVITE", 4, { body: "too early" });
  assert.equal(desk.responses().at(-1)?.status, 491);
  desk.ask("ACK", 3);
  desk.run(5);
  assert.equal(desk.responses().length, 4);
  desk.ask("INVITE", 2, { body: "old" });
  assert.equal(desk.responses().at(-1)?.status, 500);
});

test("an offer that is never acknowledged ends the call", () => {
  const desk = new SipDesk();
  desk.establish();
  desk.ask("INVITE", 3, { body: "x" });
  desk.run(33);
  assert.deepEqual(desk.log, ["established", "unreachable"]);
  assert.ok(desk.requests("BYE").length > 0);
});

test("an INVITE without an offer gets ours, and its ACK brings the answer", () => {
  const desk = new SipDesk();
  desk.establish();
  desk.ask("INVITE", 3);
  desk.ask("ACK", 3, { body: "answer in the ACK" });
  assert.deepEqual(desk.answers, ["their answer", "answer in the ACK"]);
});

test("our refreshes come at half time, as UPDATE where it is known, else as INVITE", () => {
  const timer = { "Session-Expires": "100;refresher=uac" };
  const plain = new SipDesk();
  plain.establish({ headers: timer });
  plain.run(50.2);
  assert.equal(plain.requests("INVITE").length, 2);
  plain.establish({ headers: timer });
  assert.equal(plain.requests("ACK").length, 2);
  plain.run(50.2);
  assert.equal(plain.requests("INVITE").length, 3);
  const modern = new SipDesk();
  modern.establish({ headers: { ...timer, Allow: "INVITE, UPDATE" } });
  modern.run(50.2);
  assert.equal(textOf(modern.last("UPDATE")), "");
  modern.reply(modern.last("UPDATE"), 481);
  assert.deepEqual(modern.log, ["established", "unreachable"]);
});

test("a session that the other side does not refresh expires", () => {
  const desk = new SipDesk();
  desk.establish({ headers: { "Session-Expires": "120;refresher=uas" } });
  desk.run(80);
  desk.ask("UPDATE", 5, { headers: { "Session-Expires": "120;refresher=uac" } });
  assert.match(desk.responses()[0]?.headers.get("session-expires") ?? "", /120;refresher=uac/);
  desk.run(85);
  assert.deepEqual(desk.log, ["established"]);
  desk.run(5);
  assert.deepEqual(desk.log, ["established", "unreachable"]);
});

test("an interval that is too small for a proxy is raised", () => {
  const desk = new SipDesk({ sessionExpires: 100 });
  desk.reply(desk.last("INVITE"), 422, { headers: { "Min-SE": "300" } });
  assert.equal(desk.last("INVITE").headers.get("session-expires"), "300");
  assert.equal(desk.last("INVITE").headers.get("min-se"), "300");
});

test("a call registers first where that is asked for, renews, and leaves", () => {
  const desk = new SipDesk({ register: true });
  assert.equal(desk.requests("INVITE").length, 0);
  assert.equal(desk.last("REGISTER").uri, "sip:example.org");
  desk.reply(desk.last("REGISTER"), 401, { headers: { "WWW-Authenticate": CHALLENGE } });
  desk.reply(desk.last("REGISTER"), 200, { headers: { Expires: "100" } });
  desk.establish();
  desk.run(79.9);
  assert.equal(desk.requests("REGISTER").length, 2);
  desk.run(0.3);
  assert.equal(desk.requests("REGISTER").length, 3);
  desk.reply(desk.last("REGISTER"), 200, { headers: { Expires: "100" } });
  desk.ask("BYE", 2);
  desk.run(1.1);
  assert.equal(desk.last("REGISTER").headers.get("expires"), "0");
  assert.ok(!desk.agent.done);
  desk.reply(desk.last("REGISTER"), 200);
  assert.ok(desk.agent.done);
});

test("a registrar that wants longer gets longer, one that refuses ends the call before it began", () => {
  const desk = new SipDesk({ register: true });
  desk.reply(desk.last("REGISTER"), 423, { headers: { "Min-Expires": "1800" } });
  assert.equal(desk.last("REGISTER").headers.get("expires"), "1800");
  desk.reply(desk.last("REGISTER"), 403);
  assert.deepEqual(desk.log, ["refused"]);
  desk.run(0.1);
  assert.ok(desk.agent.done);
});

test("requests of a call go the way that its servers recorded, or through the outbound proxy only", () => {
  const routes = "<sip:192.0.2.7;lr>, <sip:192.0.2.8:5070;lr>";
  const routed = new SipDesk();
  routed.establish({ headers: { "Record-Route": routes } });
  const ack = routed.last("ACK");
  assert.deepEqual(ack.headers.list("route"), ["<sip:192.0.2.8:5070;lr>", "<sip:192.0.2.7;lr>"]);
  assert.deepEqual(routed.hops.at(-1), { host: "192.0.2.8", port: 5070 });
  const proxied = new SipDesk({ wish: { outboundProxy: "192.0.2.3:5090" } });
  assert.equal(proxied.last("INVITE").headers.get("route"), "<sip:192.0.2.3:5090;lr>");
  proxied.establish();
  assert.equal(proxied.hops.at(-1), undefined);
});

test("strangers get an answer and leave nothing behind", () => {
  const desk = new SipDesk();
  desk.establish();
  const ask = (method: string, id: number): void =>
    desk.raw(
      new TextEncoder().encode(
        `${method} sip:alice@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKs${id}\r\nFrom: <sip:m@x>;tag=1\r\n` +
          `To: <sip:alice@x>\r\nCall-ID: other-${id}\r\nCSeq: 1 ${method}\r\n\r\n`,
      ),
    );
  ask("OPTIONS", 0);
  ask("INVITE", 1);
  ask("MESSAGE", 2);
  assert.deepEqual(
    desk.responses().map(({ status }) => status),
    [200, 480, 405],
  );
  for (let i = 0; i < 500; i += 1) ask("OPTIONS", i);
  desk.ask("BYE", 2);
  assert.equal(desk.log.at(-1), "hungUp");
});

test("no datagram whatever throws", () => {
  const desk = new SipDesk();
  desk.establish();
  const text = [...desk.sent].map((message) => JSON.stringify(message.headers.all)).join("\r\n");
  const known = new TextEncoder().encode(`SIP/2.0 200 OK\r\n${text}`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(known.length), (noise, at) => {
      desk.raw(noise);
      const damaged = known.slice();
      damaged.set(noise.subarray(0, damaged.length - at), at);
      desk.raw(damaged);
    }),
    { interruptAfterTimeLimit: 2000 },
  );
  assert.deepEqual(desk.log, ["established"]);
});
