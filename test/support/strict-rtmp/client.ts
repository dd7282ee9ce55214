/** One publisher as the strict server sees it, and what the test does to it. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { flvOf } from "../flv.ts";
import { type Amf, readAmf, writeAmf } from "./amf0.ts";
import type { Gatekeeper } from "./auth.ts";
import { ChunkParser, chunked, type WireMessage } from "./chunks.ts";

/** A refusal as servers word it. */
export interface Status {
  readonly code: string;
  readonly description?: string;
}

/** What the server does with those who come. */
export interface Behaviour {
  /** Asked at every `connect`; undefined lets everybody in. */
  readonly gate?: Gatekeeper;
  readonly rejectConnect?: Status;
  readonly rejectPublish?: Status;
  /** Takes no byte any more, but does not close: from the given step on. */
  readonly stall?: "accept" | "connect" | "publish";
  /** Codecs of Enhanced RTMP that it says it takes. */
  readonly fourCcList?: readonly string[];
  /** Takes so many bytes a second once media flows. */
  readonly bytesPerSecond?: number;
}

export interface ReceivedTag {
  /** 8 audio, 9 video, 18 data, as in FLV. */
  readonly type: number;
  /** Milliseconds, unwrapped. */
  readonly timestamp: number;
  readonly body: Buffer;
  /** When it came, milliseconds of `performance.now`. */
  readonly at: number;
}

const COMMAND = 20;
const CONTROL = { acknowledgement: 3, windowAckSize: 5, peerBandwidth: 6 } as const;
const STREAM_ID = 1;
const SLICE_MS = 20;

/** Ends a connection with RST where the transport allows it. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

export class RtmpClient {
  readonly #socket: Socket;
  readonly #behaviour: Behaviour;
  readonly #parser = new ChunkParser();
  #lastTimestamp = 0;
  #wraps = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #ackWindow = 0;
  #acknowledged = 0;
  readonly openedAt = performance.now();
  /** First argument of `connect`. */
  connect: { readonly [key: string]: Amf } | undefined;
  readonly commands: string[] = [];
  publishName: string | undefined;
  publishedAt: number | undefined;
  readonly tags: ReceivedTag[] = [];
  received = 0;
  /** How the connection ended. */
  ended: "closed" | "reset" | undefined;
  /** What the client did wrong. */
  fault: string | undefined;

  constructor(socket: Socket, behaviour: Behaviour) {
    this.#socket = socket;
    this.#behaviour = behaviour;
    socket.on("data", (bytes) => this.#onData(bytes));
    socket.on("error", () => {
      this.ended = "reset";
    });
    socket.on("close", () => {
      this.ended ??= "closed";
      clearInterval(this.#timer);
    });
    if (behaviour.stall === "accept") this.stall();
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** Server name that the client asked for in its TLS hello. */
  get serverName(): string | false | undefined {
    return this.#socket instanceof TLSSocket
      ? ((this.#socket.servername as string | false | undefined) ?? undefined)
      : undefined;
  }

  tagsOf(type: number): ReceivedTag[] {
    return this.tags.filter((tag) => tag.type === type);
  }

  /** Takes no byte any more; the connection stays. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Goes away without a word (RST). */
  reset(): void {
    reset(this.#socket);
  }

  /** Goes away in order (FIN). */
  close(): void {
    this.#socket.end();
  }

  /** Tells the publisher something in mid-stream. */
  status(level: "status" | "error", { code, description = "" }: Status): void {
    this.#command("onStatus", 0, [null, { level, code, description }], STREAM_ID);
  }

  throttle(bytesPerSecond: number): void {
    clearInterval(this.#timer);
    this.#allowance = 0;
    this.#timer = setInterval(() => {
      this.#allowance = Math.min(
        bytesPerSecond / 4,
        this.#allowance + (bytesPerSecond * SLICE_MS) / 1000,
      );
      if (this.#allowance > 0) this.#socket.resume();
    }, SLICE_MS);
  }

  /** What arrived as an FLV file. */
  flv(): Buffer {
    return flvOf(this.tags);
  }

  #onData(bytes: Buffer): void {
    this.received += bytes.length;
    this.#allowance -= bytes.length;
    if (this.#allowance <= 0) this.#socket.pause();
    try {
      const messages = this.#parser.push(bytes, (answer) => this.#socket.write(answer));
      for (const message of messages) this.#onMessage(message);
      this.#acknowledge();
    } catch (error) {
      this.fault ??= String(error);
      this.#socket.destroy();
    }
  }

  #acknowledge(): void {
    if (this.#ackWindow === 0 || this.received - this.#acknowledged < this.#ackWindow) return;
    this.#acknowledged = this.received;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.received % 2 ** 32);
    this.#control(CONTROL.acknowledgement, bytes);
  }

  #onMessage(message: WireMessage): void {
    if (message.type === COMMAND) this.#onCommand(message);
    else if (message.type === CONTROL.windowAckSize)
      this.#ackWindow = message.payload.readUInt32BE(0);
    else if (message.type === 8 || message.type === 9 || message.type === 18) this.#onTag(message);
  }

  #onTag({ type, timestamp, payload }: WireMessage): void {
    if (this.publishedAt === undefined) throw new Error("media before the publish was accepted");
    if (timestamp + 0x8000_0000 < this.#lastTimestamp) this.#wraps += 1;
    this.#lastTimestamp = timestamp;
    const skip = type === 18 ? writeAmf(["@setDataFrame"]).length : 0;
    this.tags.push({
      type,
      timestamp: timestamp + this.#wraps * 2 ** 32,
      body: payload.subarray(skip),
      at: performance.now(),
    });
  }

  #onCommand({ payload }: WireMessage): void {
    const [name, transaction, ...values] = readAmf(payload);
    this.commands.push(String(name));
    if (name === "connect") this.#onConnect(Number(transaction), values);
    else if (name === "createStream")
      this.#command("_result", Number(transaction), [null, STREAM_ID]);
    else if (name === "publish") this.#onPublish(values);
  }

  #onConnect(transaction: number, [properties]: readonly Amf[]): void {
    this.connect = properties as { readonly [key: string]: Amf };
    const { gate, rejectConnect, stall, fourCcList } = this.#behaviour;
    if (stall === "connect") {
      this.stall();
      return;
    }
    const complaint = gate?.(String(this.connect["app"]));
    const refusal =
      complaint === undefined
        ? rejectConnect
        : { code: "NetConnection.Connect.Rejected", description: complaint };
    if (refusal !== undefined) {
      const info = { level: "error", description: "", ...refusal };
      this.#command("_error", transaction, [null, info]);
      this.#socket.end();
      return;
    }
    this.#control(CONTROL.windowAckSize, Buffer.of(0, 0x26, 0x25, 0xa0));
    this.#control(CONTROL.peerBandwidth, Buffer.of(0, 0x26, 0x25, 0xa0, 2));
    const code = "NetConnection.Connect.Success";
    this.#command("_result", transaction, [
      { fmsVer: "FMS/3,5,7,7009", capabilities: 31, ...(fourCcList && { fourCcList }) },
      { level: "status", code, description: "Connection succeeded.", objectEncoding: 0 },
    ]);
  }

  #onPublish(values: readonly Amf[]): void {
    this.publishName = String(values[1]);
    const { rejectPublish, stall, bytesPerSecond } = this.#behaviour;
    if (rejectPublish !== undefined) {
      this.status("error", rejectPublish);
      return;
    }
    this.publishedAt = performance.now();
    this.status("status", { code: "NetStream.Publish.Start" });
    if (stall === "publish") this.stall();
    if (bytesPerSecond !== undefined) this.throttle(bytesPerSecond);
  }

  #command(name: string, transaction: number, values: readonly Amf[], streamId = 0): void {
    this.#socket.write(chunked(COMMAND, streamId, writeAmf([name, transaction, ...values])));
  }

  #control(type: number, payload: Buffer): void {
    this.#socket.write(chunked(type, 0, payload));
  }
}
