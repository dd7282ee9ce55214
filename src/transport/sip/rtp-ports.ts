import type { Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { type Clock, type Micros, micros } from "../../base/time.ts";
import type { PortRange } from "../../contract/worker-options.ts";
import { isRtcp } from "../../protocol/rtp/packet.ts";
import { type MediaAddress, SymmetricLatch } from "../../protocol/sip/latch.ts";
import { onFreePort } from "./port-range.ts";
import { bindUdp } from "./udp-socket.ts";

export interface RtpPortsOptions {
  readonly ports: PortRange;
  readonly bindAddress: string | undefined;
  /** An address of the family to use. */
  readonly address: string;
  readonly clock: Clock;
  readonly mayConnect: (address: string) => boolean;
}

export interface RtpPortsHandlers {
  /** `bytes` belongs to the receiver. */
  onRtp(bytes: Uint8Array, arrival: Micros): void;
  onRtcp(bytes: Uint8Array, arrival: Micros): void;
}

/** Where the other side wants media. */
export interface RtpRemote {
  readonly address: string;
  readonly rtp: number;
  readonly rtcp: number;
}

/** One kind of media of one call: an even port for RTP and the next one for RTCP (RFC 3550, section 11). */
export class RtpPorts {
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #options: RtpPortsOptions;
  readonly #latches = { rtp: new SymmetricLatch(), rtcp: new SymmetricLatch() };
  #mux = false;
  #closed = false;
  #lastAt: Micros = micros(0);

  private constructor(
    rtp: Socket,
    rtcp: Socket,
    options: RtpPortsOptions,
    handlers: RtpPortsHandlers,
  ) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#options = options;
    rtp.on("message", (bytes, { address, port }) => {
      const now = options.clock.now();
      if (this.#closed || !this.#latches.rtp.accept(address, port, now)) return;
      this.#lastAt = now;
      if (isRtcp(bytes)) handlers.onRtcp(bytes, now);
      else handlers.onRtp(bytes, now);
    });
    rtcp.on("message", (bytes, { address, port }) => {
      const now = options.clock.now();
      if (!this.#closed && this.#latches.rtcp.accept(address, port, now)) {
        handlers.onRtcp(bytes, now);
      }
    });
  }

  /** Rejects with `Failure` `callNoPort`. */
  static open(options: RtpPortsOptions, handlers: RtpPortsHandlers): Promise<RtpPorts> {
    const family = isIPv6(options.address) ? 6 : 4;
    return onFreePort(options.ports, 2, async (port) => {
      const rtp = await bindUdp(options.bindAddress, family, port);
      try {
        const rtcp = await bindUdp(options.bindAddress, family, port + 1);
        return new RtpPorts(rtp, rtcp, options, handlers);
      } catch (error) {
        rtp.close();
        throw error;
      }
    });
  }

  get local(): { readonly rtp: number; readonly rtcp: number } {
    return { rtp: this.#rtp.address().port, rtcp: this.#rtcp.address().port };
  }

  /** When the last datagram came; 0 before the first. */
  get lastAt(): Micros {
    return this.#lastAt;
  }

  /** What the session description of the other side says now. */
  signal(remote: RtpRemote | undefined, mux: boolean): void {
    this.#mux = mux;
    const usable = remote !== undefined && this.#usable(remote.address) ? remote : undefined;
    const at = (port: number | undefined): MediaAddress | undefined =>
      usable === undefined || port === undefined ? undefined : { address: usable.address, port };
    this.#latches.rtp.signal(at(usable?.rtp));
    this.#latches.rtcp.signal(at(usable?.rtcp));
  }

  sendRtp(bytes: Uint8Array): void {
    this.#send(this.#rtp, bytes, this.#latches.rtp.target);
  }

  sendRtcp(bytes: Uint8Array): void {
    if (this.#mux) this.sendRtp(bytes);
    else this.#send(this.#rtcp, bytes, this.#latches.rtcp.target);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rtp.close();
    this.#rtcp.close();
  }

  #usable(address: string): boolean {
    const same = isIP(address) === isIP(this.#options.address);
    return same && this.#options.mayConnect(address);
  }

  #send(socket: Socket, bytes: Uint8Array, to: MediaAddress | undefined): void {
    if (this.#closed || to === undefined) return;
    socket.send(bytes, to.port, to.address, () => undefined);
  }
}
