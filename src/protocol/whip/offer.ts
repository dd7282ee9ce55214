/** Offers and answers as WHIP restricts them (RFC 9725, section 4.4). */
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Offer, parseOffer, remoteTransport } from "../sdp/offer.ts";
import { type MediaSection, parseSessionDescription } from "../sdp/session-description.ts";

/** What a WHIP resource has to remember of its offer. */
export interface WhipOffer {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

/** OBS up to version 30 offers `sendrecv`; a section that only receives publishes nothing. */
function publishes({ kind, direction, port, attributes }: MediaSection): boolean {
  const offered = port !== 0 || attributes.some(({ name }) => name === "bundle-only");
  const media = kind === "audio" || kind === "video";
  return offered && media && (direction === "sendonly" || direction === "sendrecv");
}

/** Throws `ProtocolError` `sdp.*` or `whip.offer.*`. */
export function readWhipOffer(text: string): WhipOffer {
  const offer: Offer = parseOffer(text);
  const { iceUfrag, icePwd } = remoteTransport(offer);
  const offered = offer.description.media.filter(publishes);
  if (offered.length === 0) {
    throw new ProtocolError("whip.offer.nothing", "no section of the offer sends audio or video");
  }
  const has = (kind: string): boolean => offered.some((section) => section.kind === kind);
  return { iceUfrag, icePwd, hasAudio: has("audio"), hasVideo: has("video") };
}

/**
 * Kinds of the offered sections that `answer` does not accept. A session that publishes less than it
 * was asked for misleads its user, so WHIP wants it refused as a whole (section 4.4.3).
 */
export function rejectedKinds(offer: string, answer: string): string[] {
  const answered = parseSessionDescription(answer).media;
  return parseSessionDescription(offer)
    .media.flatMap((section, at) =>
      answered[at]?.port === 0 && publishes(section) ? [section] : [],
    )
    .map(({ kind }) => kind);
}
