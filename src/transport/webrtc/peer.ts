import type { Micros } from "../../base/time.ts";
import type { LocalTransport, RemoteTransport } from "../../protocol/sdp/transport.ts";

/** Life of one ICE + DTLS connection. `failed` and `closed` are final. */
export type PeerState = "connecting" | "connected" | "disconnected" | "failed" | "closed";

/** What a peer tells its owner. Handlers may throw; the peer contains it and reports through `onBug`. */
export interface PeerHandlers {
  onState(state: PeerState): void;
  /** One decrypted RTP or RTCP packet (tell them apart with `isRtcp`). `bytes` belongs to the receiver. */
  onPacket(bytes: Uint8Array, arrival: Micros): void;
  onBug(error: unknown): void;
}

/** One browser at the other end of a UDP 5-tuple: decrypted packets in, packets to encrypt out. */
export interface Peer {
  /** ICE and DTLS parameters and candidates to write into the answer. */
  readonly local: LocalTransport;
  /** Sends one plain RTP or RTCP packet; false when the transport cannot take it now. */
  send(bytes: Uint8Array): boolean;
  /** Idempotent. Sends nothing to the other side: tell it over signalling first. */
  close(): void;
}

/** Opens peers that share one UDP port. The only thing that knows the WebRTC library. */
export interface PeerFactory {
  /** Throws `Failure` (`peerRefused`) when the library refuses the parameters. */
  open(remote: RemoteTransport, handlers: PeerHandlers): Peer;
  close(): void;
}
