/** The offer of a sender (RFC 9429), as Chromium words it or as another browser does. */
import { FIREFOX_PUBLISH, SAFARI_PUBLISH } from "../../vectors/offers.ts";
import { PAYLOAD_TYPES, type SenderPlan } from "./rtp-sender.ts";

const WORDED = { firefox: FIREFOX_PUBLISH, safari: SAFARI_PUBLISH } as const;

const TRANSPORT_NUMBER =
  "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/** `transport`: attribute lines of ICE and DTLS. */
export function senderOffer(plan: SenderPlan, transport: readonly string[]): string {
  if (plan.browser !== undefined) return worded(WORDED[plan.browser], transport);
  const sections = [
    ...(plan.audio === undefined ? [] : [audioSection]),
    ...(plan.video === undefined ? [] : [videoSection]),
  ];
  const mids = sections.map((_section, mid) => mid);
  const lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];
  lines.push(`a=group:BUNDLE ${mids.join(" ")}`, "a=msid-semantic: WMS lab");
  sections.forEach((section, mid) => {
    const [media, ...formats] = section(plan);
    lines.push(media as string, "c=IN IP4 0.0.0.0", ...transport, "a=setup:actpass");
    lines.push(`a=mid:${mid}`, TRANSPORT_NUMBER, "a=sendonly", "a=rtcp-mux", "a=rtcp-rsize");
    lines.push(...formats);
  });
  return `${lines.join("\r\n")}\r\n`;
}

/** A browser's offer with our transport in the place of its own. */
function worded(offer: string, transport: readonly string[]): string {
  return transport.reduce((text, line) => {
    const [name] = line.split(":");
    return text.replace(new RegExp(`^${name}:.*$`, "gm"), `${line}\r`);
  }, offer);
}

function audioSection(): string[] {
  const { audio } = PAYLOAD_TYPES;
  return [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${audio}`,
    `a=rtpmap:${audio} opus/48000/2`,
    `a=rtcp-fb:${audio} transport-cc`,
    `a=fmtp:${audio} minptime=10;useinbandfec=1`,
  ];
}

function videoSection({ shape, profile = "42e01f", repair = "rtx" }: SenderPlan): string[] {
  const { video, rtx } = PAYLOAD_TYPES;
  const mode = shape === "single" ? 0 : 1;
  const feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"];
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${video}${repair === "plain" ? "" : ` ${rtx}`}`,
    `a=rtpmap:${video} H264/90000`,
    ...feedback.map((value) => `a=rtcp-fb:${video} ${value}`),
    `a=fmtp:${video} level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`,
    ...(repair === "plain" ? [] : [`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${video}`]),
  ];
}
