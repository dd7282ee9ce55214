/** Requests of the other side within a call. */
import { ProtocolError } from "../../base/protocol-error.ts";
import type { Micros } from "../../base/time.ts";
import type { CallMedia } from "./call-ports.ts";
import type { Dialog } from "./dialog.ts";
import { ALLOW } from "./identity.ts";
import { bodyText, type SipHeader, type SipRequest } from "./message.ts";
import type { Answer, IncomingRequest, Responder } from "./responder.ts";
import type { SessionTimer } from "./session-timer.ts";

export interface InDialogPorts {
  /** Our Contact, written. */
  readonly contact: string;
  /** A request of ours that changes the session is under way. */
  busy(): boolean;
  onBye(now: Micros): void;
}

const OK = { status: 200, reason: "OK" } as const;

export class InDialogRequests {
  readonly #responder: Responder;
  readonly #media: CallMedia;
  readonly #timer: SessionTimer;
  readonly #ports: InDialogPorts;
  #offered = false;
  #knowsUpdate = false;

  constructor(responder: Responder, media: CallMedia, timer: SessionTimer, ports: InDialogPorts) {
    this.#responder = responder;
    this.#media = media;
    this.#timer = timer;
    this.#ports = ports;
  }

  /** An answer of ours was an offer: the ACK brings the answer. */
  get offered(): boolean {
    return this.#offered;
  }

  /** The other side has said that it understands UPDATE. */
  get knowsUpdate(): boolean {
    return this.#knowsUpdate;
  }

  /** What an Allow field of the other side says. */
  learn(headers: { has(name: string, word: string): boolean }): void {
    if (headers.has("allow", "UPDATE")) this.#knowsUpdate = true;
  }

  answer(dialog: Dialog, incoming: IncomingRequest, now: Micros): void {
    const { request } = incoming;
    const answer = dialog.inOrder(request)
      ? this.#decide(dialog, request, now)
      : { status: 500, reason: "Out of Order" };
    this.#responder.answer(incoming, answer, now);
    if (request.method === "BYE" && answer.status === 200) this.#ports.onBye(now);
  }

  #decide(dialog: Dialog, request: SipRequest, now: Micros): Answer {
    switch (request.method) {
      case "BYE":
      case "INFO":
        return OK;
      case "OPTIONS":
        return { ...OK, headers: CAPABILITIES };
      case "INVITE":
      case "UPDATE":
        return this.#change(dialog, request, now);
      case "CANCEL":
        return { status: 481, reason: "Transaction Does Not Exist" };
      default:
        return NOT_ALLOWED;
    }
  }

  /** Hold, a refresh, other media, another address: all look alike (RFC 3261, section 14; RFC 3311). */
  #change(dialog: Dialog, request: SipRequest, now: Micros): Answer {
    if (this.#ports.busy() || this.#responder.awaitsAck) {
      return { status: 491, reason: "Request Pending" };
    }
    let body: string | undefined;
    try {
      body = this.#describe(request);
      dialog.retarget(request);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { status: 488, reason: "Not Acceptable Here" };
    }
    this.learn(request.headers);
    const type = body === undefined ? [] : [{ name: "Content-Type", value: "application/sdp" }];
    const headers = [
      { name: "Contact", value: this.#ports.contact },
      { name: "Allow", value: ALLOW },
      { name: "Supported", value: "timer" },
      ...this.#timer.onRequest(request.headers, now),
      ...type,
    ];
    return { ...OK, headers, body };
  }

  #describe(request: SipRequest): string | undefined {
    this.#offered = false;
    if (request.body.length > 0) return this.#media.onOffer(bodyText(request));
    if (request.method === "UPDATE") return undefined;
    this.#offered = true;
    return this.#media.offer();
  }
}

export const CAPABILITIES: readonly SipHeader[] = [
  { name: "Allow", value: ALLOW },
  { name: "Accept", value: "application/sdp" },
  { name: "Supported", value: "timer" },
];

export const NOT_ALLOWED: Answer = {
  status: 405,
  reason: "Method Not Allowed",
  headers: [{ name: "Allow", value: ALLOW }],
};
