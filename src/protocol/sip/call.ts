/** A call that we make (RFC 3261, section 13), from its INVITE to its goodbye, without a socket. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Micros, micros } from "../../base/time.ts";
import { type CallEnd, callEnd, refusal } from "./call-end.ts";
import type { CallEvents, CallMedia } from "./call-ports.ts";
import { type CallParty, Dialog, remoteTagOf, Sequence } from "./dialog.ts";
import { ALLOW, contactOf, type Hop, type SipIdentity } from "./identity.ts";
import { InDialogRequests } from "./in-dialog.ts";
import { bodyText, type SipHeader, type SipRequest, type SipResponse, toBody } from "./message.ts";
import type { OutgoingRequest, PendingRequest, Requester } from "./requester.ts";
import type { IncomingRequest, Responder } from "./responder.ts";
import { SessionTimer } from "./session-timer.ts";
import { after } from "./times.ts";
import { parseCSeq } from "./via.ts";

export interface CallOptions {
  /** Request URI of the INVITE. */
  readonly uri: string;
  /** Preloaded route, or undefined. */
  readonly route: string | undefined;
  readonly party: CallParty;
  /** From the INVITE to the answer. */
  readonly answerTimeout: Micros;
  /** Session timer to offer, seconds. */
  readonly sessionExpires: number;
}

export interface CallParts {
  readonly identity: SipIdentity;
  readonly requester: Requester;
  readonly responder: Responder;
  readonly media: CallMedia;
  readonly events: CallEvents;
  /** Sends what has no transaction: an ACK. */
  readonly send: (request: OutgoingRequest) => Uint8Array;
  readonly resend: (bytes: Uint8Array, hop: Hop | undefined) => void;
}

const SDP_TYPE: SipHeader = { name: "Content-Type", value: "application/sdp" };
const SECOND = 1_000_000;
/** A goodbye that nobody answers is given up after this. */
const GOODBYE = 8 * SECOND;

export class SipCall {
  readonly #options: CallOptions;
  readonly #parts: CallParts;
  readonly #sequence = new Sequence(1);
  readonly #timer: SessionTimer;
  readonly #inDialog: InDialogRequests;
  #state: "idle" | "inviting" | "established" | "ending" | "over" = "idle";
  #invite: PendingRequest | undefined;
  #deadline: Micros | undefined;
  #dialog: Dialog | undefined;
  #early = false;
  /** The last acknowledgement of a success, for repetitions of it. */
  #ack:
    | { readonly cseq: number; readonly bytes: Uint8Array; readonly hop: Hop | undefined }
    | undefined;
  #reported = false;
  #refreshing = false;

  constructor(options: CallOptions, parts: CallParts) {
    this.#options = options;
    this.#parts = parts;
    this.#timer = new SessionTimer(options.sessionExpires);
    this.#inDialog = new InDialogRequests(parts.responder, parts.media, this.#timer, {
      contact: contactOf(parts.identity, options.party.contactUser),
      busy: () => this.#refreshing,
      onBye: (now) => this.#onBye(now),
    });
  }

  /** The goodbye is done too: nothing more is to be sent or awaited. */
  get over(): boolean {
    return this.#state === "over";
  }

  get established(): boolean {
    return this.#state === "established";
  }

  start(now: Micros): void {
    this.#state = "inviting";
    this.#deadline = micros(now + this.#options.answerTimeout);
    this.#sendInvite(now);
  }

  /** Ends the call in the way of its state: CANCEL, or BYE. */
  hangUp(end: CallEnd, now: Micros): void {
    if (this.#state === "ending" || this.#state === "over") return;
    const before = this.#state;
    this.#state = before === "idle" ? "over" : "ending";
    this.#deadline = micros(now + GOODBYE);
    if (before === "inviting") this.#invite?.cancel(now);
    if (before === "established") this.#sendBye(now);
    this.#report(end);
  }

  /** Sends a request that changes nothing, such as INFO. */
  info(contentType: string, body: string, now: Micros): void {
    if (this.#dialog === undefined || this.#state !== "established") return;
    const headers = [{ name: "Content-Type", value: contentType }];
    const out = this.#dialog.request("INFO", headers, body);
    const ignore = { onFinal: () => undefined, onTimeout: () => undefined };
    this.#parts.requester.request(out, ignore, now);
  }

  /** A response that belongs to no transaction: a success that is repeated, or of another branch. */
  onStray(response: SipResponse, now: Micros): void {
    if (response.status < 200 || response.status >= 300) return;
    const { method, number } = parseCSeq(response);
    if (method !== "INVITE" || response.headers.get("call-id") !== this.#options.party.callId)
      return;
    if (remoteTagOf(response) !== this.#dialog?.remoteTag) this.#refuseFork(response, number, now);
    else if (this.#ack?.cseq === number) this.#parts.resend(this.#ack.bytes, this.#ack.hop);
  }

  /** True when the request was one of this call's dialog. */
  onRequest(request: SipRequest, incoming: IncomingRequest, now: Micros): boolean {
    const dialog = this.#dialog;
    if (dialog === undefined || !dialog.matches(request)) return false;
    this.#inDialog.answer(dialog, incoming, now);
    return true;
  }

  /** The ACK of the other side may hold the answer to an offer of ours. */
  onAck(request: SipRequest): void {
    if (this.#dialog?.matches(request) !== true) return;
    if (this.#inDialog.offered && request.body.length > 0) {
      this.#parts.media.onAnswer(bodyText(request), false);
    }
  }

  tick(now: Micros): void {
    if (this.#deadline !== undefined && now >= this.#deadline) {
      if (this.#state === "inviting") this.hangUp(callEnd("noAnswer"), now);
      else if (this.#state === "ending") this.#state = "over";
    }
    if (this.#state !== "established") return;
    const due = this.#timer.due(now);
    if (due === "refresh") this.#refresh(now);
    else if (due === "expired") this.hangUp(callEnd("unreachable"), now);
  }

  /** The other side never acknowledged what we accepted (RFC 3261, 13.3.1.4). */
  onAckMissing(now: Micros): void {
    this.hangUp(callEnd("unreachable"), now);
  }

  #sendInvite(now: Micros): void {
    const { party, route, uri } = this.#options;
    const headers: SipHeader[] = [
      ...(route === undefined ? [] : [{ name: "Route", value: route }]),
      { name: "From", value: party.from },
      { name: "To", value: party.to },
      { name: "Call-ID", value: party.callId },
      { name: "Contact", value: contactOf(this.#parts.identity, party.contactUser) },
      { name: "Allow", value: ALLOW },
      ...this.#timer.offer(),
      SDP_TYPE,
    ];
    const out: OutgoingRequest = {
      method: "INVITE",
      uri,
      headers,
      body: toBody(this.#parts.media.offer()),
      hop: undefined,
      nextCSeq: () => this.#sequence.next(),
    };
    this.#invite = this.#parts.requester.request(
      out,
      {
        onProvisional: (response) => this.#onProvisional(response),
        onFinal: (response, at) => this.#onInviteFinal(response, at),
        onTimeout: () => this.#finish(callEnd("unreachable")),
      },
      now,
    );
  }

  #onProvisional(response: SipResponse): void {
    if (this.#state !== "inviting") return;
    this.#parts.events.onProgress(response.status);
    if (response.status === 100 || response.body.length === 0) return;
    try {
      this.#parts.media.onAnswer(bodyText(response), true);
      this.#early = true;
    } catch (error) {
      // Media before the answer is a gift; the answer itself has to be right.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #onInviteFinal(response: SipResponse, now: Micros): void {
    if (response.status < 300) {
      try {
        this.#onSuccess(response, now);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#finish(callEnd("media"));
      }
    } else if (this.#state === "ending") this.#state = "over";
    else if (response.status === 422 && this.#timer.onTooSmall(response.headers)) {
      this.#sendInvite(now);
    } else this.#finish(refusal(response));
  }

  #onSuccess(response: SipResponse, now: Micros): void {
    const { identity, media, events } = this.#parts;
    const dialog = new Dialog(identity, this.#options.party, this.#sequence, response);
    this.#dialog = dialog;
    this.#acknowledge(dialog, parseCSeq(response).number);
    if (this.#state === "ending") {
      this.#sendBye(now);
      return;
    }
    this.#state = "established";
    this.#deadline = undefined;
    this.#timer.onAnswer(response.headers, now);
    this.#inDialog.learn(response.headers);
    try {
      if (response.body.length > 0) media.onAnswer(bodyText(response), false);
      else if (!this.#early) throw new ProtocolError("sip.answer", "no session description");
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.hangUp({ ...callEnd("media"), text: `${callEnd("media").text}: ${error.rule}` }, now);
      return;
    }
    events.onEstablished();
  }

  #acknowledge(dialog: Dialog, cseq: number): void {
    const out = dialog.request("ACK", [], undefined, cseq);
    this.#ack = { cseq, bytes: this.#parts.send(out), hop: out.hop };
  }

  /** Another branch took the call as well: it is told that it came too late (RFC 3261, 13.2.2.4). */
  #refuseFork(response: SipResponse, cseq: number, now: Micros): void {
    const { identity, requester, send } = this.#parts;
    if (this.#dialog === undefined) return;
    const fork = new Dialog(identity, this.#options.party, this.#sequence, response);
    send(fork.request("ACK", [], undefined, cseq));
    const ignore = { onFinal: () => undefined, onTimeout: () => undefined };
    requester.request(fork.request("BYE", [], undefined), ignore, now);
  }

  #sendBye(now: Micros): void {
    if (this.#dialog === undefined) return;
    const done = (): void => {
      this.#state = "over";
    };
    const out = this.#dialog.request("BYE", [], undefined);
    this.#parts.requester.request(out, { onFinal: done, onTimeout: done }, now);
  }

  #onBye(now: Micros): void {
    // Its answer may have to be repeated.
    this.#state = "ending";
    this.#deadline = after(now, SECOND);
    this.#report(callEnd("hungUp"));
  }

  /** A proof of life that carries no offer where the other side knows UPDATE (RFC 3311), else a re-INVITE. */
  #refresh(now: Micros): void {
    const dialog = this.#dialog;
    if (dialog === undefined) return;
    this.#refreshing = true;
    const invite = !this.#inDialog.knowsUpdate;
    const headers = [{ name: "Allow", value: ALLOW }, ...this.#timer.offer()];
    const out = invite
      ? dialog.request("INVITE", [...headers, SDP_TYPE], this.#parts.media.offer())
      : dialog.request("UPDATE", headers, undefined);
    this.#parts.requester.request(
      out,
      {
        onFinal: (response, at) => this.#onRefreshed(dialog, invite, response, at),
        onTimeout: (at) => this.hangUp(callEnd("unreachable"), at),
      },
      now,
    );
  }

  #onRefreshed(dialog: Dialog, invite: boolean, response: SipResponse, now: Micros): void {
    this.#refreshing = false;
    if (response.status < 300) {
      if (invite) this.#acknowledge(dialog, parseCSeq(response).number);
      dialog.retarget(response);
      this.#timer.onAnswer(response.headers, now);
      if (invite && response.body.length > 0) {
        this.#parts.media.onAnswer(bodyText(response), false);
      }
      return;
    }
    const gone = response.status === 408 || response.status === 481;
    if (gone) this.hangUp(callEnd("unreachable", response.status), now);
    else {
      this.#timer.onTooSmall(response.headers);
      this.#timer.postpone(now, 3 * SECOND);
    }
  }

  #finish(end: CallEnd): void {
    this.#state = "over";
    this.#report(end);
  }

  #report(end: CallEnd): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#parts.events.onEnded(end);
  }
}
