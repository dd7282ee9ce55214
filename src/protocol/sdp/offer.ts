/** What an answerer needs of a WebRTC offer (RFC 9429). */
import { ProtocolError } from "../../base/protocol-error.ts";
import {
  attribute,
  attributeValues,
  type MediaSection,
  parseSessionDescription,
  type SessionDescription,
} from "./session-description.ts";
import type { DtlsSetup, RemoteTransport } from "./transport.ts";

/** A parsed offer. */
export interface Offer {
  readonly description: SessionDescription;
  /** Mids of the BUNDLE group in order; empty without one. */
  readonly bundle: readonly string[];
}

/** Throws `ProtocolError` `sdp.*`. */
export function parseOffer(text: string): Offer {
  const description = parseSessionDescription(text);
  if (description.media.length === 0) throw new ProtocolError("sdp.media", "no media section");
  const group = attributeValues(description.attributes, "group")
    .map((value) => value.split(/\s+/))
    .find(([semantics]) => semantics === "BUNDLE");
  return { description, bundle: group?.slice(1) ?? [] };
}

/** The mid of a section, or its index as text when the offer has none. */
export function midOf(offer: Offer, section: MediaSection): string {
  return section.mid ?? String(offer.description.media.indexOf(section));
}

/**
 * ICE and DTLS parameters of the offerer: those of the first section that is not rejected, or of the
 * session. Throws `ProtocolError` `sdp.transport`.
 */
export function remoteTransport(offer: Offer): RemoteTransport {
  const { attributes, media } = offer.description;
  const section = media.find(({ port }) => port !== 0) ?? media[0];
  const find = (name: string): string | undefined =>
    attribute(section?.attributes ?? [], name) ?? attribute(attributes, name);
  const need = (name: string, shape: RegExp): string => {
    const value = find(name);
    if (value === undefined || !shape.test(value)) {
      throw new ProtocolError("sdp.transport", `a=${name} is missing or malformed`);
    }
    return value;
  };
  const setup = find("setup") ?? "actpass";
  if (!/^(actpass|active|passive)$/.test(setup)) {
    throw new ProtocolError("sdp.transport", "a=setup has an unknown value");
  }
  return {
    iceUfrag: need("ice-ufrag", /^[A-Za-z0-9+/=_-]{4,256}$/),
    icePwd: need("ice-pwd", /^[A-Za-z0-9+/=_-]{22,256}$/),
    fingerprint: need(
      "fingerprint",
      /^sha-(1|224|256|384|512) ([0-9A-Fa-f]{2}:){19,63}[0-9A-Fa-f]{2}$/i,
    ),
    setup: setup as DtlsSetup,
  };
}
