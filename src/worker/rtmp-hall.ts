import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { type Clock, millis } from "../base/time.ts";
import { type FailureCode, fail } from "../contract/failures.ts";
import type { RtmpWish } from "../contract/messages.ts";
import { ServerConnection } from "../transport/rtmp/server-connection.ts";

export interface RtmpHallOptions {
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

export interface RtmpHallPorts {
  readonly clock: Clock;
  onWish(wish: RtmpWish): void;
  onBug(error: unknown): void;
}

/** An RTMP client whose wish is not answered yet. */
interface Waiting {
  readonly connection: ServerConnection;
  readonly role: RtmpWish["role"];
}

/** Connections at once, of publishers, players and strangers; streams and players have limits of their own. */
const MAX_CONNECTIONS = 2000;

/** Where RTMP clients stand until they said what they want and it was granted. */
export class RtmpHall {
  readonly #options: RtmpHallOptions;
  readonly #ports: RtmpHallPorts;
  readonly #connections = new Set<ServerConnection>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: RtmpHallOptions, ports: RtmpHallPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Speaks to a client that has just connected. */
  adopt(socket: Socket): void {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    const id = randomUUID();
    const { connectTimeoutMs, writeTimeoutMs } = this.#options;
    const connection = new ServerConnection(
      socket,
      { timeout: millis(connectTimeoutMs), writeTimeout: millis(writeTimeoutMs) },
      {
        onWish: ({ role, name, parameters }, address) => {
          this.#waiting.set(id, { connection, role });
          this.#ports.onWish({ connection: id, role, name, parameters, address });
        },
        onClosed: () => {
          this.#connections.delete(connection);
          this.#waiting.delete(id);
        },
        onBug: this.#ports.onBug,
      },
      this.#ports.clock,
    );
    this.#connections.add(connection);
  }

  /** The connection whose wish is being answered. Throws `Failure` `sessionClosed` when it has gone. */
  answer(id: string): Waiting {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting === undefined) throw fail("sessionClosed", "the RTMP client has gone");
    return waiting;
  }

  close(message: string): void {
    for (const connection of this.#connections) connection.close(message);
  }
}

const REFUSALS: Partial<Record<FailureCode, string>> = {
  streamNameInUse: "NetStream.Publish.BadName",
  unauthorized: "NetStream.Publish.Denied",
  forbidden: "NetStream.Publish.Denied",
};

/** The status code that RTMP clients understand best. */
export function refusalOf(role: RtmpWish["role"], code: FailureCode): string {
  if (role === "publish") return REFUSALS[code] ?? "NetStream.Publish.Rejected";
  return code === "sessionNotFound" ? "NetStream.Play.StreamNotFound" : "NetStream.Play.Failed";
}
