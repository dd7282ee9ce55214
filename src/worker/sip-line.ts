/** What a SIP call has open: its sockets, its user agent, its media. */
import { createHash, randomBytes } from "node:crypto";
import { type Clock, micros } from "../base/time.ts";
import type { CallWish } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { CallEvents } from "../protocol/sip/call-ports.ts";
import type { CalleeTarget } from "../protocol/sip/callee.ts";
import type { Hash } from "../protocol/sip/digest.ts";
import type { MediaKind } from "../protocol/sip/sdp.ts";
import { SipUserAgent } from "../protocol/sip/user-agent.ts";
import type { MayConnect } from "../transport/rtmp/address-rules.ts";
import { RtpPorts } from "../transport/sip/rtp-ports.ts";
import { openSipLink, type SipLink } from "../transport/sip/sip-link.ts";
import { SipMedia, type SipMediaPorts } from "./sip-media.ts";

export interface SipLineOptions {
  readonly call: CallWish;
  readonly target: CalleeTarget;
  readonly sip: WorkerOptions["sip"];
  readonly ingest: WorkerOptions["ingest"];
  readonly mayConnect: MayConnect;
}

export interface SipLinePorts
  extends Pick<SipMediaPorts, "onFrame" | "onPacket" | "onAgreed">,
    CallEvents {
  readonly clock: Clock;
  readonly random32: () => number;
  /** Runs work that input from outside has caused; what it throws is a defect. */
  contain(work: () => void): void;
  /** The signalling's connection is gone. */
  onLinkClosed(): void;
}

const SECOND = 1_000_000;

/** A random text that nobody guesses. */
export const sipToken = (): string => randomBytes(12).toString("hex");
const hash: Hash = (algorithm, data) => createHash(algorithm).update(data).digest("hex");

/** Nothing is sent before `agent.start`. */
export class SipLine {
  readonly agent: SipUserAgent;
  readonly media: SipMedia;
  readonly #link: SipLink;

  private constructor(agent: SipUserAgent, media: SipMedia, link: SipLink) {
    this.agent = agent;
    this.media = media;
    this.#link = link;
  }

  /** Rejects with `Failure`: `sipUnreachable`, `addressForbidden`, `callNoPort`. */
  static async open(options: SipLineOptions, ports: SipLinePorts): Promise<SipLine> {
    const { sip, target } = options;
    let line: SipLine | undefined;
    const link = await openSipLink(
      {
        transport: target.transport ?? sip.transport,
        server: target.server,
        ports: sip.ports,
        bindAddress: sip.bindAddress,
        mayConnect: guard(options),
      },
      {
        onMessage: (message, from) =>
          ports.contain(() => line?.agent.onMessage(message, from, ports.clock.now())),
        onClosed: () => ports.onLinkClosed(),
      },
    );
    try {
      const media = await openMedia(options, ports, link.address);
      line = new SipLine(newAgent(options, ports, link, media), media, link);
      return line;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  close(): void {
    this.media.close();
    this.#link.close();
  }
}

/** Addresses that the other side names, for signalling and media, count as the server's. */
const guard =
  ({ mayConnect, target }: SipLineOptions) =>
  (address: string): boolean =>
    mayConnect(address, target.server.host);

async function openMedia(
  options: SipLineOptions,
  ports: SipLinePorts,
  address: string,
): Promise<SipMedia> {
  const { call, sip, ingest } = options;
  const { clock, random32 } = ports;
  let media: SipMedia | undefined;
  const openPorts = (kind: MediaKind): Promise<RtpPorts> =>
    RtpPorts.open(
      {
        ports: sip.mediaPorts,
        bindAddress: sip.bindAddress,
        address,
        clock,
        mayConnect: guard(options),
      },
      {
        onRtp: (bytes, at) => ports.contain(() => media?.onRtp(kind, bytes, at)),
        onRtcp: (bytes, at) => ports.contain(() => media?.onRtcp(bytes, at)),
      },
    );
  const audio = call.hasAudio ? await openPorts("audio") : undefined;
  try {
    const video = call.hasVideo ? await openPorts("video") : undefined;
    media = new SipMedia(
      {
        local: {
          address: sip.publicAddress ?? address,
          sessionId: String(random32()),
          audio: audio?.local,
          video: video?.local,
          maxBitrateKbps: ingest.maxBitrateKbps,
        },
        ingest,
        earlyMedia: sip.earlyMedia,
      },
      { ...ports, audio, video },
    );
    return media;
  } catch (error) {
    audio?.close();
    throw error;
  }
}

function newAgent(
  { call, target, sip }: SipLineOptions,
  events: SipLinePorts,
  link: SipLink,
  media: SipMedia,
): SipUserAgent {
  return new SipUserAgent(
    {
      target,
      credentials: { name: call.authenticationName, password: call.password },
      register: call.register,
      registerExpires: sip.registerExpiresS,
      answerTimeout: micros(sip.answerTimeoutS * SECOND),
      sessionExpires: sip.sessionExpiresS,
    },
    {
      transport: (target.transport ?? sip.transport) === "tcp" ? "TCP" : "UDP",
      address: sip.publicAddress ?? link.address,
      port: link.port,
      userAgent: sip.userAgent,
      token: sipToken,
      hash,
    },
    { send: (bytes, hop) => link.send(bytes, hop), media, events },
  );
}
