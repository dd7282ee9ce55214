/** What a PATCH of a WHIP resource means (RFC 9725, sections 4.3.1 to 4.3.3). */
import { ProtocolError } from "../../base/protocol-error.ts";
import { parseSdpFragment } from "./fragment.ts";
import type { WhipOffer } from "./offer.ts";

export interface PatchRequest {
  /** The `If-Match` header. */
  readonly ifMatch: string | undefined;
  readonly body: string;
}

/** The ICE session that the resource stands for. */
export interface IceSession {
  /** Strong, with its quotes. */
  readonly entityTag: string;
  readonly offer: WhipOffer;
}

/** HTTP status and, for a refusal, why. */
export type PatchVerdict =
  | { readonly status: 204 }
  | { readonly status: 400 | 412 | 422 | 428; readonly message: string };

/**
 * Candidates are taken note of and not used: the publisher's checks reach our address first, and ICE
 * learns the address they come from (RFC 8445, section 7.3.1.3). ICE restarts are not supported.
 */
export function judgePatch({ ifMatch, body }: PatchRequest, session: IceSession): PatchVerdict {
  if (ifMatch === undefined) {
    return { status: 428, message: "If-Match: the entity tag of the ICE session is needed" };
  }
  if (!matches(ifMatch, session.entityTag)) {
    return { status: 412, message: "If-Match: this is not the entity tag of the ICE session" };
  }
  try {
    const { iceUfrag, icePwd } = parseSdpFragment(body);
    const { offer } = session;
    const same = (iceUfrag ?? offer.iceUfrag) === offer.iceUfrag;
    if (same && (icePwd ?? offer.icePwd) === offer.icePwd) return { status: 204 };
    return { status: 422, message: "ICE restarts are not supported: publish anew" };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { status: 400, message: error.message };
  }
}

/** Strong comparison of a list of entity tags (RFC 9110, section 13.1.1). */
function matches(ifMatch: string, entityTag: string): boolean {
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  return tags.includes("*") || tags.includes(entityTag);
}
