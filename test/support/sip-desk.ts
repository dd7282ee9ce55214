/** A user agent on a desk: simulated time, and a callee whose every word a test chooses. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { micros } from "../../src/base/time.ts";
import type { CallEnd } from "../../src/protocol/sip/call-end.ts";
import { type CalleeWish, calleeTarget } from "../../src/protocol/sip/callee.ts";
import type { Hop } from "../../src/protocol/sip/identity.ts";
import {
  bodyText,
  parseSipMessage,
  SipHeaders,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  toBody,
  writeSipMessage,
} from "../../src/protocol/sip/message.ts";
import { SipUserAgent } from "../../src/protocol/sip/user-agent.ts";

export const PEER: Hop = { host: "192.0.2.9", port: 5060 };
const TICK = 20_000;

export interface DeskOptions {
  readonly transport?: "UDP" | "TCP";
  readonly register?: boolean;
  readonly sessionExpires?: number;
  readonly password?: string;
  readonly wish?: Partial<CalleeWish>;
}

export interface Reply {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tag?: string;
}

export class SipDesk {
  readonly agent: SipUserAgent;
  readonly sent: SipMessage[] = [];
  readonly hops: (Hop | undefined)[] = [];
  readonly log: string[] = [];
  readonly ends: CallEnd[] = [];
  /** What the media side was told. */
  readonly answers: string[] = [];
  offerAnswer = "v=0\r\n";
  now = 1_000_000;
  #serial = 0;
  readonly #callId = "call-1";

  constructor(options: DeskOptions = {}) {
    const wish: CalleeWish = {
      callee: "bob",
      login: "alice",
      displayName: "",
      domain: "example.org",
      port: 5060,
      outboundProxy: undefined,
      ...options.wish,
    };
    this.agent = new SipUserAgent(
      {
        target: calleeTarget(wish, this.#callId, "local-tag"),
        credentials: { name: "alice", password: options.password ?? "wonderland" },
        register: options.register ?? false,
        registerExpires: 600,
        answerTimeout: micros(60_000_000),
        sessionExpires: options.sessionExpires ?? 1800,
      },
      {
        transport: options.transport ?? "UDP",
        address: "192.0.2.1",
        port: 30_000,
        userAgent: "test",
        token: () => {
          this.#serial += 1;
          return `token${this.#serial}`;
        },
        hash: (algorithm, data) => createHash(algorithm).update(data).digest("hex"),
      },
      {
        send: (bytes, hop) => {
          this.sent.push(parseSipMessage(bytes));
          this.hops.push(hop);
        },
        media: {
          offer: () => "our offer",
          onAnswer: (sdp, early) => {
            this.answers.push(`${early ? "early " : ""}${sdp}`);
          },
          onOffer: () => this.offerAnswer,
        },
        events: {
          onProgress: (status) => this.log.push(String(status)),
          onEstablished: () => this.log.push("established"),
          onEnded: (end) => {
            this.log.push(end.kind);
            this.ends.push(end);
          },
        },
      },
    );
    this.agent.start(micros(this.now));
  }

  /** Time passes, looked at every 20 ms. */
  run(seconds: number): void {
    const end = this.now + seconds * 1_000_000;
    while (this.now < end) {
      this.now = Math.min(end, this.now + TICK);
      this.agent.tick(micros(this.now));
    }
  }

  requests(method: string): SipRequest[] {
    return this.sent.filter((m): m is SipRequest => m.kind === "request" && m.method === method);
  }

  /** The latest request of a method. */
  last(method: string): SipRequest {
    const found = this.requests(method).at(-1);
    assert.ok(found !== undefined, `no ${method} was sent`);
    return found;
  }

  responses(): SipResponse[] {
    return this.sent.filter((m): m is SipResponse => m.kind === "response");
  }

  reply(
    request: SipRequest,
    status: number,
    { headers = {}, body, tag = "remote-tag" }: Reply = {},
  ) {
    const echoed = ["via", "from", "call-id", "cseq"];
    const kept = request.headers.all.filter(({ name }) => echoed.includes(name.toLowerCase()));
    const to = request.headers.get("to") ?? "";
    const tagged = status === 100 || to.includes("tag=") ? to : `${to};tag=${tag}`;
    const more = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const contact = { name: "Contact", value: `<sip:bob@${PEER.host}:5060>` };
    const all = [...kept, { name: "To", value: tagged }, contact, ...more];
    this.#deliver({
      kind: "response",
      status,
      reason: "x",
      headers: new SipHeaders(all),
      body: toBody(body),
    });
  }

  /** A request of the callee in the dialog. */
  ask(method: string, cseq: number, { headers = {}, body, tag = "remote-tag" }: Reply = {}): void {
    const more = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const all = [
      { name: "Via", value: `SIP/2.0/UDP ${PEER.host};branch=z9hG4bK${method}${cseq};rport` },
      { name: "From", value: `<sip:bob@example.org>;tag=${tag}` },
      { name: "To", value: "<sip:alice@example.org>;tag=local-tag" },
      { name: "Call-ID", value: this.#callId },
      { name: "CSeq", value: `${cseq} ${method}` },
      ...more,
    ];
    this.#deliver({
      kind: "request",
      method,
      uri: "sip:alice@192.0.2.1:30000",
      headers: new SipHeaders(all),
      body: toBody(body),
    });
  }

  /** Takes the call that is being made. */
  establish(reply: Reply = {}): void {
    this.reply(this.last("INVITE"), 200, { body: "their answer", ...reply });
  }

  raw(bytes: Uint8Array): void {
    this.agent.onDatagram(bytes, PEER, micros(this.now));
  }

  #deliver(message: SipMessage): void {
    this.raw(writeSipMessage(message));
  }
}

export const textOf = bodyText;
