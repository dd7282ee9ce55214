/** A bare WebSDK client on a real socket, for what the SDK itself would never send. */
import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import { until } from "./server.ts";

export interface WcsMessage {
  readonly message: string;
  readonly data: readonly unknown[];
}

export class WcsClient {
  readonly messages: WcsMessage[] = [];
  readonly socket: WebSocket;
  closed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => {
      this.messages.push(JSON.parse(data.toString()) as WcsMessage);
    });
    socket.on("close", () => {
      this.closed = true;
    });
    socket.on("error", () => undefined);
  }

  /** Opens a socket and, unless told otherwise, a session. */
  static async open(url: string, session = true): Promise<WcsClient> {
    const socket = new WebSocket(url);
    const client = new WcsClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    if (!session) return client;
    client.say("connection", { appKey: "defaultApp", mediaProviders: ["WebRTC"] });
    await client.next("getUserData");
    return client;
  }

  say(message: string, ...data: readonly unknown[]): void {
    this.socket.send(JSON.stringify({ message, data }));
  }

  /** The first message of that name whose first datum matches. */
  next(message: string, matches: (datum: Record<string, unknown>) => boolean = () => true) {
    return until(`${message} of the server`, async () =>
      this.messages.find(
        (m) => m.message === message && matches((m.data[0] ?? {}) as Record<string, unknown>),
      ),
    );
  }

  /** Publishes with this offer; resolves with the `info` of the FAILED that must follow. */
  async publishRefused(name: string, sdp: string): Promise<unknown> {
    const mediaSessionId = randomUUID();
    const fields = { mediaSessionId, name, sdp, hasVideo: true, hasAudio: true, published: true };
    this.say("publishStream", fields);
    const { data } = await this.next(
      "notifyStreamStatusEvent",
      (status) => status["mediaSessionId"] === mediaSessionId && status["status"] === "FAILED",
    );
    return (data[0] as Record<string, unknown>)["info"];
  }

  close(): void {
    this.socket.close();
  }
}
