/** Simulcast of an offer (RFC 8851, RFC 8853): the same picture in several sizes. */
import { attribute, attributeValues, type MediaSection } from "./session-description.ts";

/** By these header extensions a packet says which layer it belongs to, or repairs (RFC 8852). */
export const LAYER_EXTENSIONS = {
  rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  repairedRid: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
} as const;

/** Browsers send three at most. */
const MOST_LAYERS = 8;
const NAME = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * Names of the layers that the offerer would send as `payloadType`, in its order, which says nothing about
 * their sizes. Empty without simulcast, and where packets would not tell to which layer they belong.
 */
export function offeredLayers(section: MediaSection, payloadType: number): string[] {
  if (!section.extensions.has(LAYER_EXTENSIONS.rid)) return [];
  const sent = sentWithRestrictions(section);
  const simulcast = attribute(section.attributes, "simulcast") ?? "";
  const [, list = ""] = /(?:^| )send (\S+)/.exec(simulcast) ?? [];
  const names = list.split(";").flatMap((alternatives) => {
    const name = alternatives
      .split(",")
      .map((text) => text.replace(/^~/, ""))
      .find((text) => NAME.test(text) && allows(sent.get(text), payloadType));
    return name === undefined ? [] : [name];
  });
  const layers = [...new Set(names)].slice(0, MOST_LAYERS);
  return layers.length > 1 ? layers : [];
}

/** What an answer says about the layers that we take: all of them, because only packets show their sizes. */
export function layerLines(layers: readonly string[]): string[] {
  if (layers.length === 0) return [];
  return [...layers.map((name) => `a=rid:${name} recv`), `a=simulcast:recv ${layers.join(";")}`];
}

function sentWithRestrictions(section: MediaSection): Map<string, string> {
  const sent = new Map<string, string>();
  for (const value of attributeValues(section.attributes, "rid")) {
    const [name = "", direction, restrictions = ""] = value.split(" ");
    if (direction === "send") sent.set(name, restrictions);
  }
  return sent;
}

/** True for a layer with a description whose `pt=` names the payload type, or names none. */
function allows(restrictions: string | undefined, payloadType: number): boolean {
  if (restrictions === undefined) return false;
  const [, types] = /(?:^|;)pt=([\d,]+)/.exec(restrictions) ?? [];
  return types === undefined || types.split(",").includes(String(payloadType));
}
