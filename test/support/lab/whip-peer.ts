/**
 * A WHIP client (RFC 9725) by libdatachannel as the offering side. As on the server the library sees one
 * media section only; our own offer describes the media. It gets the server's address last, when it
 * knows its fingerprint: otherwise it now and then refuses the server's certificate. Everything here runs
 * in a process of its own and throws nothing inside a callback.
 */
import library from "node-datachannel";
import {
  attribute,
  parseSessionDescription,
} from "../../../src/protocol/sdp/session-description.ts";

export interface WhipPeerOptions {
  /** Resource to post to. */
  readonly url: string;
  /** Our offer, made of the library's transport attributes. */
  readonly offer: (transport: readonly string[]) => string;
  /** Port to send to instead of the server's. */
  readonly viaPort: number | undefined;
}

export interface WhipPeerHandlers {
  onConnected(): void;
  onPacket(bytes: Buffer): void;
  onClosed(): void;
}

type Connection = InstanceType<typeof library.PeerConnection>;
type Track = InstanceType<typeof library.Track>;

const SYNTHETIC = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"];

export class WhipPeer {
  readonly #connection: Connection;
  readonly #track: Track;
  readonly #resource: string;
  /** Looked up once: the library's objects are slow to ask. */
  readonly #sendBinary: (bytes: Buffer) => boolean;
  #open = false;

  private constructor(connection: Connection, track: Track, resource: string) {
    this.#connection = connection;
    this.#track = track;
    this.#resource = resource;
    this.#sendBinary = track.sendMessageBinary.bind(track);
    track.onOpen(() => {
      this.#open = true;
    });
    track.onClosed(() => {
      this.#open = false;
    });
  }

  /** Resolves when the server has answered; media may flow from `onConnected` on. */
  static async publish(options: WhipPeerOptions, handlers: WhipPeerHandlers): Promise<WhipPeer> {
    const connection = new library.PeerConnection("publisher", {
      iceServers: [],
      bindAddress: "127.0.0.1",
    });
    const media = new library.Audio("0", "SendRecv");
    media.addOpusCodec(111);
    const track = connection.addTrack(media);
    connection.onStateChange((state) => {
      if (state === "connected") handlers.onConnected();
      if (state === "closed" || state === "failed") handlers.onClosed();
    });
    track.onMessage((bytes) => handlers.onPacket(bytes));
    connection.setLocalDescription("offer");
    const offer = options.offer(transportLines(connection.localDescription()?.sdp ?? ""));
    const response = await fetch(options.url, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer,
    });
    const answer = await response.text();
    if (response.status !== 201) {
      connection.close();
      throw new Error(`WHIP: ${response.status} ${answer}`);
    }
    const location = response.headers.get("location") ?? "";
    accept(connection, answer, options.viaPort);
    return new WhipPeer(connection, track, new URL(location, options.url).href);
  }

  /** The library copies what it is given. */
  send(bytes: Buffer): void {
    if (this.#open) this.#sendBinary(bytes);
  }

  /** Ends the publication on the server, then the connection. */
  async close(): Promise<void> {
    this.#open = false;
    await fetch(this.#resource, { method: "DELETE" }).catch(() => undefined);
    this.#track.close();
    this.#connection.close();
  }
}

function transportLines(sdp: string): string[] {
  const { attributes, media } = parseSessionDescription(sdp);
  const all = [...attributes, ...(media[0]?.attributes ?? [])];
  return ["ice-ufrag", "ice-pwd", "fingerprint"].map((name) => `a=${name}:${attribute(all, name)}`);
}

function accept(connection: Connection, answer: string, viaPort: number | undefined): void {
  const { attributes, media } = parseSessionDescription(answer);
  const all = [...attributes, ...(media.find(({ port }) => port !== 0)?.attributes ?? [])];
  const lines = ["ice-ufrag", "ice-pwd", "fingerprint", "setup"].map(
    (name) => `a=${name}:${attribute(all, name)}`,
  );
  connection.setRemoteDescription(
    [
      ...SYNTHETIC,
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "c=IN IP4 0.0.0.0",
      ...["a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2"],
      ...lines,
      "",
    ].join("\r\n"),
    "answer",
  );
  const candidate = attribute(all, "candidate")?.split(" ");
  if (candidate === undefined) throw new Error("the answer has no candidate");
  if (viaPort !== undefined) candidate[5] = `${viaPort}`;
  connection.addRemoteCandidate(`candidate:${candidate.join(" ")}`, "0");
}
