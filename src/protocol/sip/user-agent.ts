/** One end of one call: registers where that is asked for, calls, and leaves. Without a socket. */
import { ProtocolError } from "../../base/protocol-error.ts";
import type { Micros } from "../../base/time.ts";
import { SipCall } from "./call.ts";
import { type CallEnd, callEnd } from "./call-end.ts";
import type { CallEvents, CallMedia } from "./call-ports.ts";
import { addressOf, type CalleeTarget } from "./callee.ts";
import type { Credentials } from "./digest.ts";
import { type Hop, type SipIdentity, viaOf } from "./identity.ts";
import { CAPABILITIES, NOT_ALLOWED } from "./in-dialog.ts";
import {
  parseSipMessage,
  SipHeaders,
  type SipMessage,
  type SipRequest,
  writeSipMessage,
} from "./message.ts";
import { Registration } from "./registration.ts";
import { type OutgoingRequest, Requester } from "./requester.ts";
import { type Answer, Responder } from "./responder.ts";
import { parseCSeq } from "./via.ts";

export interface UserAgentOptions {
  readonly target: CalleeTarget;
  readonly credentials: Credentials;
  readonly register: boolean;
  readonly registerExpires: number;
  readonly answerTimeout: Micros;
  readonly sessionExpires: number;
}

export interface UserAgentPorts {
  /** `hop` undefined: to the server of the call. */
  send(bytes: Uint8Array, hop: Hop | undefined): void;
  readonly media: CallMedia;
  readonly events: CallEvents;
}

export class SipUserAgent {
  readonly #options: UserAgentOptions;
  readonly #identity: SipIdentity;
  readonly #ports: UserAgentPorts;
  readonly #requester: Requester;
  readonly #responder: Responder;
  readonly #registration: Registration;
  readonly #call: SipCall;
  #leaving = false;

  constructor(options: UserAgentOptions, identity: SipIdentity, ports: UserAgentPorts) {
    this.#options = options;
    this.#identity = identity;
    this.#ports = ports;
    const send = (bytes: Uint8Array, hop: Hop | undefined): void => ports.send(bytes, hop);
    this.#requester = new Requester(identity, options.credentials, send);
    this.#responder = new Responder(identity, send);
    this.#call = this.#newCall();
    this.#registration = this.#newRegistration();
  }

  /** Everything is said: the sockets may be closed. */
  get done(): boolean {
    return this.#call.over && this.#registration.gone;
  }

  get established(): boolean {
    return this.#call.established;
  }

  start(now: Micros): void {
    if (this.#options.register) this.#registration.start(now);
    else this.#call.start(now);
  }

  hangUp(now: Micros): void {
    this.#call.hangUp(callEnd("stopped"), now);
  }

  /** The media has gone, or the connection. */
  giveUp(end: CallEnd, now: Micros): void {
    this.#call.hangUp(end, now);
  }

  info(contentType: string, body: string, now: Micros): void {
    this.#call.info(contentType, body, now);
  }

  /** A datagram. What cannot be understood is ignored: UDP carries rubbish. */
  onDatagram(bytes: Uint8Array, from: Hop, now: Micros): void {
    this.#contain(() => this.#onMessage(parseSipMessage(bytes), from, now));
  }

  /** A message that a stream framer has cut out. */
  onMessage(message: SipMessage, from: Hop, now: Micros): void {
    this.#contain(() => this.#onMessage(message, from, now));
  }

  /** Time-driven work; about every 20 ms. */
  tick(now: Micros): void {
    this.#requester.tick(now);
    if (this.#responder.tick(now)) this.#call.onAckMissing(now);
    this.#call.tick(now);
    this.#registration.tick(now);
    if (this.#call.over && !this.#leaving) {
      this.#leaving = true;
      this.#registration.stop(now);
    }
  }

  #contain(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #onMessage(message: SipMessage, from: Hop, now: Micros): void {
    if (message.kind === "response") {
      if (!this.#requester.onResponse(message, now)) this.#call.onStray(message, now);
      return;
    }
    if (message.headers.get("call-id") !== this.#options.target.party.callId) {
      this.#onStranger(message, from, now);
      return;
    }
    if (message.method === "ACK") this.#call.onAck(message);
    const incoming = this.#responder.accept(message, from, now);
    if (incoming === undefined || this.#call.onRequest(message, incoming, now)) return;
    this.#responder.answer(incoming, outside(message), now);
  }

  /** Requests that have nothing to do with the call leave nothing behind: nobody may fill our memory. */
  #onStranger(request: SipRequest, from: Hop, now: Micros): void {
    if (request.method === "ACK") return;
    const incoming = { request, cseq: parseCSeq(request).number, from };
    this.#responder.answer(incoming, { ...outside(request), toTag: this.#identity.token() }, now);
  }

  #newCall(): SipCall {
    const { target, answerTimeout, sessionExpires } = this.#options;
    const { media, events } = this.#ports;
    return new SipCall(
      { uri: target.uri, route: target.route, party: target.party, answerTimeout, sessionExpires },
      {
        identity: this.#identity,
        requester: this.#requester,
        responder: this.#responder,
        media,
        events,
        send: (out) => this.#sendAck(out),
        resend: (bytes, hop) => this.#ports.send(bytes, hop),
      },
    );
  }

  #newRegistration(): Registration {
    const { target, registerExpires } = this.#options;
    return new Registration(
      {
        registrar: target.registrar,
        from: target.party.from,
        to: addressOf(target.party.from),
        callId: `${target.party.callId}r`,
        contactUser: target.party.contactUser,
        route: target.route,
        expires: registerExpires,
      },
      this.#identity,
      this.#requester,
      {
        onRegistered: (now) => this.#call.start(now),
        onRefused: (end, now) => this.#call.hangUp(end, now),
      },
    );
  }

  /** The acknowledgement of a success is sent once and repeated on demand only. */
  #sendAck(out: OutgoingRequest): Uint8Array {
    const branch = `z9hG4bK${this.#identity.token()}`;
    const bytes = writeSipMessage({
      kind: "request",
      method: out.method,
      uri: out.uri,
      headers: new SipHeaders([
        { name: "Via", value: viaOf(this.#identity, branch) },
        { name: "Max-Forwards", value: "70" },
        ...out.headers.filter(({ name }) => name !== "Contact"),
        { name: "CSeq", value: `${out.nextCSeq()} ACK` },
        { name: "User-Agent", value: this.#identity.userAgent },
      ]),
      body: out.body,
    });
    this.#ports.send(bytes, out.hop);
    return bytes;
  }
}

/** Requests outside of our dialog: this end takes no calls. */
function outside({ method, headers }: SipRequest): Answer {
  if (method === "OPTIONS") return { status: 200, reason: "OK", headers: CAPABILITIES };
  if (method === "CANCEL" || /;\s*tag\s*=/i.test(headers.get("to") ?? "")) {
    return { status: 481, reason: "Call/Transaction Does Not Exist" };
  }
  if (method === "INVITE") return { status: 480, reason: "Temporarily Unavailable" };
  return NOT_ALLOWED;
}
