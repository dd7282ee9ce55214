/**
 * WebRTC peers by libdatachannel, used for ICE, DTLS and SRTP alone.
 *
 * The library gets a synthetic description with a single media section, so that it demultiplexes
 * nothing: its demultiplexer can be hung by one malformed RTCP packet, and it drops packets whose SSRC
 * no description named. Rules that cost the process when broken: nothing may be thrown inside a
 * callback, `setLocalDescription` and the description classes' parsers are never called, a track is
 * closed before its connection, and all of it runs in the main thread of a process of its own.
 */
import library from "node-datachannel";
import type { Clock } from "../../base/time.ts";
import { fail } from "../../contract/failures.ts";
import { startingBatchThreads } from "../../machine/batch-threads.ts";
import {
  attribute,
  attributeValues,
  parseSessionDescription,
} from "../../protocol/sdp/session-description.ts";
import type { LocalTransport, RemoteTransport } from "../../protocol/sdp/transport.ts";
import type { Peer, PeerFactory, PeerHandlers, PeerState } from "./peer.ts";

export interface PeerFactoryOptions {
  /** The one UDP port of all peers. */
  readonly udpPort: number;
  /** Local address to bind; undefined binds all. */
  readonly bindAddress: string | undefined;
  /** Announced in a candidate of its own, before the local addresses: the public side of a NAT. */
  readonly publicAddress: string | undefined;
  readonly clock: Clock;
}

type Connection = InstanceType<typeof library.PeerConnection>;
type Track = InstanceType<typeof library.Track>;

const MAX_CANDIDATES = 8;
const STATES: Readonly<Record<string, PeerState>> = {
  connecting: "connecting",
  connected: "connected",
  disconnected: "disconnected",
  failed: "failed",
  closed: "closed",
};

/** Throws `Failure` (`peerRefused`) when the UDP port cannot be bound. */
export function createPeerFactory(options: PeerFactoryOptions): PeerFactory {
  let listener: InstanceType<typeof library.IceUdpMuxListener>;
  try {
    listener = startingBatchThreads(() => {
      library.preload();
      // Held for the life of the factory: without it the port closes with the last peer.
      return new library.IceUdpMuxListener(options.udpPort, options.bindAddress);
    });
  } catch (error) {
    throw fail("peerRefused", `UDP port ${options.udpPort} cannot be bound`, error);
  }
  const peers = new Set<DatachannelPeer>();
  let serial = 0;
  return {
    open(remote, handlers) {
      serial += 1;
      const peer = new DatachannelPeer(`${serial}`, options, remote, handlers, () =>
        peers.delete(peer),
      );
      peers.add(peer);
      return peer;
    },
    close() {
      // Without the library's own cleanup: it can abort the process, which ends after this anyway.
      for (const peer of [...peers]) peer.close();
      listener.stop();
    },
  };
}

class DatachannelPeer implements Peer {
  readonly #connection: Connection;
  readonly #handlers: PeerHandlers;
  readonly #clock: Clock;
  readonly #onClosed: () => void;
  readonly local: LocalTransport;
  #track: Track | undefined;
  #closed = false;

  constructor(
    name: string,
    options: PeerFactoryOptions,
    remote: RemoteTransport,
    handlers: PeerHandlers,
    onClosed: () => void,
  ) {
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#onClosed = onClosed;
    this.#connection = openConnection(name, options);
    try {
      this.#listen();
      this.#connection.setRemoteDescription(syntheticOffer(remote), "offer");
      const description = this.#connection.localDescription();
      if (description?.type !== "answer") throw new Error("the library gave no answer");
      this.local = localTransport(description.sdp, options);
    } catch (error) {
      this.close();
      throw fail("peerRefused", "the WebRTC library refused the offer", error);
    }
  }

  send(bytes: Uint8Array): boolean {
    const track = this.#track;
    if (this.#closed || track === undefined) return false;
    try {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return track.isOpen() && track.sendMessageBinary(buffer);
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    try {
      this.#track?.close();
      this.#connection.close();
    } catch (error) {
      this.#handlers.onBug(error);
    }
  }

  #listen(): void {
    this.#connection.onStateChange((state) => {
      const known = STATES[state];
      if (known !== undefined) this.#guarded(() => this.#handlers.onState(known));
    });
    this.#connection.onTrack((track) => {
      this.#track = track;
      track.onMessage((bytes) => {
        if (this.#closed) return;
        try {
          this.#handlers.onPacket(bytes, this.#clock.now());
        } catch (error) {
          this.#report(error);
        }
      });
    });
  }

  /** Whatever is thrown in a callback of the library ends the process; so nothing is. */
  #guarded(call: () => void): void {
    if (this.#closed) return;
    try {
      call();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#handlers.onBug(error);
    } catch {
      // The report of a defect has a defect itself; there is nobody left to tell.
    }
  }
}

function openConnection(name: string, options: PeerFactoryOptions): Connection {
  return new library.PeerConnection(name, {
    iceServers: [],
    enableIceUdpMux: true,
    portRangeBegin: options.udpPort,
    portRangeEnd: options.udpPort,
    ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
  });
}

/** Everything in it was checked against a strict shape before: no foreign text reaches the library. */
function syntheticOffer(remote: RemoteTransport): string {
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    `a=ice-ufrag:${remote.iceUfrag}`,
    `a=ice-pwd:${remote.icePwd}`,
    `a=fingerprint:${remote.fingerprint}`,
    `a=setup:${remote.setup}`,
    "a=rtpmap:111 opus/48000/2",
    "",
  ].join("\r\n");
}

function localTransport(sdp: string, options: PeerFactoryOptions): LocalTransport {
  const { attributes, media } = parseSessionDescription(sdp);
  const all = [...attributes, ...(media[0]?.attributes ?? [])];
  const need = (name: string): string => {
    const value = attribute(all, name);
    if (value === undefined) throw new Error(`the library's answer has no a=${name}`);
    return value;
  };
  return {
    iceUfrag: need("ice-ufrag"),
    icePwd: need("ice-pwd"),
    fingerprint: need("fingerprint"),
    setup: need("setup") === "passive" ? "passive" : "active",
    candidates: candidates(attributeValues(all, "candidate"), options),
  };
}

/** The announced address first, then the local ones; loopback when the machine has no other address. */
function candidates(found: readonly string[], options: PeerFactoryOptions): string[] {
  const { publicAddress, udpPort } = options;
  const host = (address: string, priority: number): string =>
    `0 1 UDP ${priority} ${address} ${udpPort} typ host`;
  const announced = publicAddress === undefined ? [] : [host(publicAddress, 2_130_706_431)];
  const local = found.filter((line) => line.split(" ")[4] !== publicAddress);
  const all = [...announced, ...local].slice(0, MAX_CANDIDATES);
  return all.length > 0 ? all : [host("127.0.0.1", 2_113_929_471)];
}
