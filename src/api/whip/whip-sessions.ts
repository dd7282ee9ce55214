import { randomUUID } from "node:crypto";
import { Failure } from "../../base/failure.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { fail } from "../../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../../contract/ids.ts";
import type { AuthorizePublish } from "../../control/authorize.ts";
import type { StreamService } from "../../control/stream-service.ts";
import { readWhipOffer, rejectedKinds, type WhipOffer } from "../../protocol/whip/offer.ts";
import { type IceSession, judgePatch, type PatchVerdict } from "../../protocol/whip/patch.ts";

/** A published WHIP session. */
export interface WhipAnswer {
  readonly session: string;
  readonly entityTag: string;
  readonly answer: string;
}

/** Which resource a request is about, and with what right. */
export interface WhipTarget {
  readonly name: string;
  readonly session: string;
  readonly token: string | undefined;
}

interface WhipSession extends IceSession {
  readonly name: string;
}

const NAME = /^[^\p{Cc}/?#]{1,200}$/u;

/** The WHIP resources of this server: one a published stream, gone with it however it ends. */
export class WhipSessions {
  readonly #streams: StreamService;
  readonly #authorize: AuthorizePublish;
  readonly #sessions = new Map<string, WhipSession>();

  constructor(streams: StreamService, authorize: AuthorizePublish) {
    this.#streams = streams;
    this.#authorize = authorize;
  }

  /** Publishes under `name`. Rejects with `Failure`; then nothing is left behind. */
  async publish(name: string, token: string | undefined, body: string): Promise<WhipAnswer> {
    if (!NAME.test(name)) throw fail("badRequest", "the stream name in the path is not usable");
    await this.#authorize(name, token);
    const offer = readOffer(body);
    const session = randomUUID();
    const entityTag = `"${session}"`;
    this.#sessions.set(session, { name, entityTag, offer });
    try {
      const answer = await this.#open(session, name, { offer, body });
      this.#refusePartial(session, body, answer);
      return { session, entityTag, answer };
    } catch (error) {
      this.#sessions.delete(session);
      throw whipFailure(error);
    }
  }

  /** Takes a fragment for the ICE session. Throws `Failure` `sessionNotFound`. */
  async patch(
    target: WhipTarget,
    request: { readonly ifMatch: string | undefined; readonly body: string },
  ): Promise<PatchVerdict> {
    return judgePatch(request, await this.#find(target));
  }

  /** Ends the stream. Throws `Failure` `sessionNotFound`, also when it has ended before. */
  async remove(target: WhipTarget): Promise<void> {
    await this.#find(target);
    this.#end(target.session, "the publisher deleted its WHIP resource");
  }

  /** A token is asked for first, so that a stranger does not learn which resources there are. */
  async #find({ name, session, token }: WhipTarget): Promise<WhipSession> {
    await this.#authorize(name, token);
    const found = this.#sessions.get(session);
    if (found?.name !== name) throw fail("sessionNotFound", "there is no such WHIP resource");
    return found;
  }

  #open(
    session: string,
    name: string,
    { offer, body }: { readonly offer: WhipOffer; readonly body: string },
  ): Promise<string> {
    return this.#streams.publish(
      {
        session: session as MediaSessionId,
        name: name as StreamName,
        offer: body,
        bitrate: { start: 0, min: 0, max: 0 },
        hasAudio: offer.hasAudio,
        hasVideo: offer.hasVideo,
        rtmpUrl: undefined,
        owner: { sessionId: session, appKey: "whip", door: "whip" },
      },
      { onLive: () => undefined, onEnded: () => this.#sessions.delete(session) },
    );
  }

  #refusePartial(session: string, offer: string, answer: string): void {
    const rejected = rejectedKinds(offer, answer);
    if (rejected.length === 0) return;
    this.#end(session, "not everything that was offered can be received");
    throw fail("noCommonCodecs", `the offer's ${rejected.join(" and ")} cannot be received`);
  }

  #end(session: string, message: string): void {
    this.#streams.end(session as MediaSessionId, { code: "publisherStopped", message });
  }
}

function readOffer(body: string): WhipOffer {
  try {
    return readWhipOffer(body);
  } catch (error) {
    if (error instanceof ProtocolError) throw fail("badSdp", error.message, error);
    throw error;
  }
}

/** A full server is 503 in WHIP, with a time to come back (RFC 9725, section 4.5). */
function whipFailure(error: unknown): unknown {
  const full = error instanceof Failure && error.code === "tooMany";
  return full ? fail("overloaded", error.message, error) : error;
}
