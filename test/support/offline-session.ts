/** A publisher's session without a network: packets are handed to it as the WebRTC library would. */
import { type Micros, millis } from "../../src/base/time.ts";
import type { MediaSessionId } from "../../src/contract/ids.ts";
import type { LocalTransport } from "../../src/protocol/sdp/transport.ts";
import type { PeerHandlers } from "../../src/transport/webrtc/peer.ts";
import { hubOptions } from "../../src/worker/hub-options.ts";
import { IngestSession, type IngestSessionPorts } from "../../src/worker/ingest-session.ts";
import { BROWSER } from "./lab/publisher.ts";
import { senderOffer } from "./lab/sender-offer.ts";

const LOCAL: LocalTransport = {
  iceUfrag: "abcd",
  icePwd: "abcdefghijklmnopqrstuvwx",
  fingerprint: `sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`,
  setup: "active",
  candidates: [],
};
const CREDENTIALS = [
  `a=ice-ufrag:${LOCAL.iceUfrag}`,
  `a=ice-pwd:${LOCAL.icePwd}`,
  `a=fingerprint:${LOCAL.fingerprint}`,
];
const INGEST = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  maxReorderWaitMs: 1000,
  keyframeRequestGapMs: 1000,
  startBitrateKbps: 0,
  maxBitrateKbps: 10_000,
};

export interface OfflinePorts extends Pick<IngestSessionPorts, "openAudio" | "onBug"> {
  now(): Micros;
  /** A datagram for the publisher. */
  onSent(bytes: Uint8Array): void;
}

/** The session of a browser's offer, and what the library would call. */
export function openOffline({ now, onSent, openAudio, onBug }: OfflinePorts): {
  readonly session: IngestSession;
  readonly library: PeerHandlers;
} {
  let library: PeerHandlers | undefined;
  const send = (bytes: Uint8Array): boolean => {
    onSent(bytes);
    return true;
  };
  const session = new IngestSession(
    {
      session: "offline" as MediaSessionId,
      offer: senderOffer(BROWSER, CREDENTIALS),
      bitrate: { start: 0, min: 0, max: 0 },
      ingest: INGEST,
      hub: hubOptions(5000),
    },
    {
      clock: { now, wallNow: () => millis(0) },
      peers: {
        open: (_remote, handlers) => {
          library = handlers;
          return { local: LOCAL, send, close: () => undefined };
        },
        close: () => undefined,
      },
      random32: () => 1,
      openAudio,
      onState: () => undefined,
      onVideoSize: () => undefined,
      onBug,
    },
  );
  if (library === undefined) throw new Error("the session opened no peer");
  return { session, library };
}
