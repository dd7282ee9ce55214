/** A bad network on loopback: a UDP relay between publishers and the server. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { seededRandom } from "../simulated-publisher.ts";
import { machineMicros } from "./marker.ts";

/**
 * What one direction does to datagrams; nothing where a figure is absent. Only media is lost, so that
 * connections come up in the same way each time.
 */
export interface Conditions {
  /** Share lost, 0..1. */
  readonly loss?: number;
  /** Every `everyMs` for `lengthMs`, at the end of the period, `loss` instead. */
  readonly bursts?: { readonly everyMs: number; readonly lengthMs: number; readonly loss: number };
  readonly delayMs?: number;
  /** Up to so much more; datagrams keep their order. */
  readonly jitterMs?: number;
  /** Share that comes `reorderMs` later than the rest. */
  readonly reorder?: number;
  readonly reorderMs?: number;
  /** Share that comes twice. */
  readonly duplicates?: number;
  /** A bottleneck, with a queue that holds `queueMs` of traffic. */
  readonly kbps?: number;
  readonly queueMs?: number;
}

export interface NetworkProfile {
  readonly seed: number;
  /** From publishers to the server. */
  readonly up: Conditions;
  readonly down: Conditions;
}

export const CLEAN: NetworkProfile = { seed: 1, up: {}, down: {} };

/** Figures of one direction since `use`. */
interface LinkCounts {
  datagrams: number;
  bytes: number;
  lost: number;
  /** Found the queue of the bottleneck full. */
  dropped: number;
  /** Longest wait in the queue of the bottleneck. */
  longestQueueMs: number;
}

export interface Relay {
  /** Where publishers send to. */
  readonly port: number;
  readonly up: LinkCounts;
  readonly down: LinkCounts;
  /** From now on the network is like this; figures and bursts begin anew. */
  use(profile: NetworkProfile): void;
  /** Microseconds of `machineMicros` at the last `use`. */
  readonly since: number;
  /** Milliseconds that a datagram now waits at the bottleneck on the way up. */
  readonly queueMs: number;
  close(): void;
}

/** Room for what comes while this process is busy, so that it loses nothing by itself. */
const SOCKET = { type: "udp4", recvBufferSize: 4 << 20 } as const;

type Deliver = () => void;

/** RTP and RTCP (RFC 7983, section 7). */
const isMedia = (datagram: Buffer): boolean => (datagram[0] ?? 0) >> 6 === 2;

/** One direction. */
class Link {
  readonly #pending: { readonly at: number; readonly deliver: Deliver }[] = [];
  #conditions: Conditions = {};
  #random: () => number = () => 1;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #freeAt = 0;
  #lastAt = 0;
  counts = Link.#none();

  static #none(): LinkCounts {
    return { datagrams: 0, bytes: 0, lost: 0, dropped: 0, longestQueueMs: 0 };
  }

  use(conditions: Conditions, seed: number, now: number): void {
    this.#conditions = conditions;
    this.#random = seededRandom(seed);
    this.#since = now;
    this.counts = Link.#none();
  }

  queueMs(now: number): number {
    return Math.max(0, this.#freeAt - now) / 1000;
  }

  carry(datagram: Buffer, deliver: Deliver): void {
    const now = machineMicros();
    const { counts } = this;
    const bytes = datagram.length;
    counts.datagrams += 1;
    counts.bytes += bytes;
    if (isMedia(datagram) && this.#random() < this.#loss(now)) {
      counts.lost += 1;
      return;
    }
    const passed = this.#bottleneck(bytes, now);
    if (passed === undefined) {
      counts.dropped += 1;
      return;
    }
    const { duplicates = 0 } = this.#conditions;
    const copies = this.#random() < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) this.#schedule(passed, deliver);
    this.#run();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#pending.length = 0;
  }

  #loss(now: number): number {
    const { loss = 0, bursts } = this.#conditions;
    if (bursts === undefined) return loss;
    const phase = ((now - this.#since) / 1000) % bursts.everyMs;
    return phase >= bursts.everyMs - bursts.lengthMs ? bursts.loss : loss;
  }

  /** When the datagram has passed the bottleneck; undefined when its queue is full. */
  #bottleneck(bytes: number, now: number): number | undefined {
    const { kbps, queueMs = 200 } = this.#conditions;
    if (kbps === undefined) return now;
    const wait = this.queueMs(now);
    if (wait > queueMs) return undefined;
    this.counts.longestQueueMs = Math.max(this.counts.longestQueueMs, wait);
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes * 8000) / kbps;
    return this.#freeAt;
  }

  #schedule(from: number, deliver: Deliver): void {
    const { delayMs = 0, jitterMs = 0, reorder = 0, reorderMs = 10 } = this.#conditions;
    let at = from + 1000 * (delayMs + jitterMs * this.#random());
    if (this.#random() < reorder) at += 1000 * reorderMs;
    else at = this.#lastAt = Math.max(at, this.#lastAt);
    let place = this.#pending.length;
    while (place > 0 && (this.#pending[place - 1]?.at ?? 0) > at) place -= 1;
    this.#pending.splice(place, 0, { at, deliver });
  }

  readonly #run = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = machineMicros();
    while (this.#pending[0] !== undefined && this.#pending[0].at <= now) {
      this.#pending.shift()?.deliver();
    }
    const [next] = this.#pending;
    if (next === undefined) return;
    this.#timer = setTimeout(this.#run, Math.max(0, (next.at - now) / 1000));
  };
}

/** A relay to a UDP port of loopback; at first it does nothing to datagrams. */
export async function startRelay(serverPort: number): Promise<Relay> {
  const front = createSocket(SOCKET);
  const backs = new Map<string, Socket>();
  const up = new Link();
  const down = new Link();
  let since = machineMicros();
  const open = (client: RemoteInfo): Socket => {
    const back = createSocket(SOCKET);
    back.on("message", (bytes) => {
      down.carry(bytes, () => front.send(bytes, client.port, client.address, ignore));
    });
    backs.set(`${client.port}`, back);
    return back;
  };
  front.on("message", (bytes, client) => {
    const back = backs.get(`${client.port}`) ?? open(client);
    up.carry(bytes, () => back.send(bytes, serverPort, "127.0.0.1", ignore));
  });
  front.bind(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: (front.address() as AddressInfo).port,
    get up() {
      return up.counts;
    },
    get down() {
      return down.counts;
    },
    get since() {
      return since;
    },
    get queueMs() {
      return up.queueMs(machineMicros());
    },
    use(profile) {
      since = machineMicros();
      up.use(profile.up, profile.seed, since);
      down.use(profile.down, profile.seed + 1, since);
    },
    close() {
      up.close();
      down.close();
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
}

/** A socket that is gone loses datagrams, as networks do. */
const ignore = (): void => undefined;
