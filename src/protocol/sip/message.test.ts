import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../base/protocol-error.ts";
import {
  MAX_MESSAGE_BYTES,
  parseSipMessage,
  SipHeaders,
  type SipMessage,
  splitList,
  toBody,
  writeSipMessage,
} from "./message.ts";
import { SipStreamFramer } from "./stream-framer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): SipMessage => parseSipMessage(bytes(text));

/** RFC 4475, 3.1.1.1, shortened: what may look strange and is right. */
const TORTUOUS = [
  "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0",
  "TO :",
  " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  "  ;",
  "  tag = 98asjd8",
  "MaX-fOrWaRdS: 0068",
  "Call-ID: wsinv.ndaksdj@192.0.2.1",
  "Content-Length   : 0",
  "cseq: 0009",
  "  INVITE",
  "Via  : SIP  /   2.0",
  " /UDP",
  "    192.0.2.2;branch=390skdjuw",
  "s :",
  "NewFangledHeader:   newfangled value",
  " continued newfangled value",
  "v:  SIP  / 2.0  / TCP     spindle.example.com   ;",
  "  branch  =   z9hG4bK9ikj8  ,",
  " SIP  /    2.0   / UDP  192.168.255.111   ; branch=",
  " z9hG4bK30239",
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam = newvalue ;',
  "",
  "",
].join("\r\n");

test("a tortuous message of RFC 4475 is understood", () => {
  const message = parse(TORTUOUS);
  assert.equal(message.kind, "request");
  assert.equal(message.headers.get("cseq"), "0009 INVITE");
  assert.equal(message.headers.list("via").length, 3);
  assert.match(message.headers.get("to") ?? "", /tag {4}= 1918181833n/);
  assert.equal(message.headers.list("contact").length, 1);
});

test("compact names are spelled out, lists are taken apart outside of quotes and brackets", () => {
  const { headers } = parse("SIP/2.0 200 OK\r\ni: a\r\nk: timer, 100rel\r\n\r\n");
  assert.equal(headers.get("call-id"), "a");
  assert.ok(headers.has("supported", "100REL"));
  assert.deepEqual(splitList('"a, b" <sip:x@y;z=1,2>, <sip:q@r>'), [
    '"a, b" <sip:x@y;z=1,2>',
    "<sip:q@r>",
  ]);
});

test("what breaks a rule is refused by its name", () => {
  const table: readonly (readonly [string, string])[] = [
    ["", "sip.head"],
    ["SIP/2.0 200 OK\r\nVia: x\r\n", "sip.head"],
    ["SIP/3.0 200 OK\r\n\r\n", "sip.start"],
    ["SIP/2.0 999 OK\r\n\r\n", "sip.start"],
    ["INVITE sip:a@b\r\n\r\n", "sip.start"],
    ["SIP/2.0 200 OK\r\nno colon here\r\n\r\n", "sip.field"],
    ["SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nabc", "sip.length"],
    ["SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n", "sip.length"],
    [`SIP/2.0 200 OK\r\n${"a: b\r\n".repeat(300)}\r\n`, "sip.size"],
    [`SIP/2.0 200 OK\r\na: ${"b".repeat(9000)}\r\n\r\n`, "sip.size"],
  ];
  for (const [text, rule] of table) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof ProtocolError && error.rule === rule,
      text.slice(0, 40),
    );
  }
});

test("nothing that goes into a field can begin a line of its own", () => {
  const headers = new SipHeaders([{ name: "To", value: "a\r\nEvil: b" }]);
  const message = {
    kind: "response",
    status: 200,
    reason: "OK",
    headers,
    body: toBody(""),
  } as const;
  assert.throws(() => writeSipMessage(message), /sip\.injection/);
});

test("no bytes whatever throw anything but a rule", () => {
  const harmless = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  };
  const around = fc.tuple(fc.nat(TORTUOUS.length), fc.uint8Array({ maxLength: 20 }));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), around, (noise, [at, patch]) => {
      const damaged = bytes(TORTUOUS);
      damaged.set(patch.subarray(0, damaged.length - at), at);
      for (const data of [noise, damaged]) {
        harmless(() => parseSipMessage(data));
        harmless(() => [...new SipStreamFramer().push(data)]);
      }
    }),
    { interruptAfterTimeLimit: 4000 },
  );
});

const numbered = (number: number): Uint8Array =>
  writeSipMessage({
    kind: "request",
    method: "OPTIONS",
    uri: "sip:a@b",
    headers: new SipHeaders([{ name: "CSeq", value: `${number} OPTIONS` }]),
    body: toBody("x".repeat(number * 7)),
  });

test("a stream is cut into the same messages however it arrives", () => {
  const whole = Buffer.concat([
    bytes("\r\n\r\n"),
    numbered(1),
    bytes("\r\n"),
    numbered(2),
    numbered(3),
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (sizes) => {
      const framer = new SipStreamFramer();
      const found: string[] = [];
      for (let at = 0, i = 0; at < whole.length; i += 1) {
        const end = Math.min(whole.length, at + (sizes[i % sizes.length] ?? 1));
        for (const message of framer.push(whole.subarray(at, end))) {
          found.push(`${message.headers.get("cseq")} ${message.body.byteLength}`);
        }
        at = end;
      }
      assert.deepEqual(found, ["1 OPTIONS 7", "2 OPTIONS 14", "3 OPTIONS 21"]);
    }),
    { interruptAfterTimeLimit: 3000 },
  );
});

test("a stream that never ends a message is given up", () => {
  const framer = new SipStreamFramer();
  const flood = (): void => {
    for (let i = 0; i < 10; i += 1)
      [...framer.push(new Uint8Array(MAX_MESSAGE_BYTES / 4).fill(65))];
  };
  assert.throws(flood, /sip\.size/);
  assert.throws(
    () => [...new SipStreamFramer().push(bytes("OPTIONS sip:a SIP/2.0\r\n\r\n"))],
    /sip\.length/,
  );
});
