/** A camera that is hard to compress, in headless Chromium; signalling is the caller's. */
import type { Page } from "playwright-core";
import type { TestBrowser } from "../chromium.ts";

export interface CameraOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** The browser's own fake camera instead of noise: easy to compress. */
  readonly device?: boolean;
  /** Simulcast: names of the layers, and by how much each is smaller than the picture. */
  readonly layers?: Readonly<Record<string, number>>;
}

/** What the browser says about its sending. */
interface SendingStats {
  /** Video bytes sent so far, without repairs. */
  readonly bytes: number;
  /** Bits per second that its encoder aims at. */
  readonly target: number;
  /** Bits per second that it believes the network to carry. */
  readonly available: number;
  readonly roundTripMs: number;
  readonly packetsLost: number;
  readonly width: number;
  readonly fps: number;
  readonly keyframes: number;
}

/** Microseconds of the page's monotonic clock come along, so that rates can be computed. */
export interface SendingSample extends SendingStats {
  readonly atMs: number;
}

const START = (camera: CameraOptions): string => `(async () => {
  const { width, height, fps, device = false, layers = {} } = ${JSON.stringify(camera)};
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const drawing = canvas.getContext("2d");
  const tile = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  const noise = tile.getContext("2d");
  const pixels = noise.createImageData(2 * width, 2 * height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = Math.random() * 256;
    pixels.data[i + 3] = 255;
  }
  noise.putImageData(pixels, 0, 0);
  setInterval(() => {
    drawing.drawImage(tile, -Math.random() * width, -Math.random() * height);
  }, 1000 / fps);
  const video = { width, height, frameRate: fps };
  const stream = device
    ? await navigator.mediaDevices.getUserMedia({ video })
    : canvas.captureStream(fps);
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  const peer = new RTCPeerConnection();
  for (const track of [...sound.getTracks(), ...stream.getTracks()]) {
    const encodings = Object.entries(layers).map(([rid, scaleResolutionDownBy]) => ({ rid, scaleResolutionDownBy }));
    const sendEncodings = track.kind === "video" && encodings.length > 0 ? encodings : [{}];
    peer.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
  }
  await peer.setLocalDescription(await peer.createOffer());
  globalThis.lab = { peer };
  return peer.localDescription.sdp;
})()`;

const ACCEPT = (sdp: string): string =>
  `lab.peer.setRemoteDescription({ type: "answer", sdp: ${JSON.stringify(sdp)} })`;

const STATS = `(async () => {
  const found = { bytes: 0, target: 0, available: 0, roundTripMs: 0, packetsLost: 0, width: 0, fps: 0, keyframes: 0 };
  for (const report of (await lab.peer.getStats()).values()) {
    if (report.type === "outbound-rtp" && report.kind === "video") {
      found.bytes = report.bytesSent - report.retransmittedBytesSent;
      found.target = report.targetBitrate ?? 0;
      found.width = report.frameWidth ?? 0;
      found.fps = report.framesPerSecond ?? 0;
      found.keyframes = report.keyFramesEncoded ?? 0;
    } else if (report.type === "candidate-pair" && report.nominated) {
      found.available = report.availableOutgoingBitrate ?? 0;
      found.roundTripMs = 1000 * (report.currentRoundTripTime ?? 0);
    } else if (report.type === "remote-inbound-rtp" && report.kind === "video") {
      found.packetsLost = report.packetsLost ?? 0;
    }
  }
  return { ...found, atMs: performance.now() };
})()`;

export class BrowserPublisher {
  readonly #page: Page;
  readonly offer: string;

  private constructor(page: Page, offer: string) {
    this.#page = page;
    this.offer = offer;
  }

  /** Opens a page of `origin` and makes an offer with picture and sound. */
  static async open(
    browser: TestBrowser,
    origin: string,
    camera: CameraOptions,
  ): Promise<BrowserPublisher> {
    const page = await browser.newPage(origin);
    return new BrowserPublisher(page, (await page.evaluate(START(camera))) as string);
  }

  /** Takes the answer; media goes to `viaPort` when there is a relay. */
  async accept(answer: string, viaPort?: number): Promise<void> {
    const candidate = /^(a=candidate:\S+ 1 UDP \d+ \S+) \d+/gim;
    const sdp = viaPort === undefined ? answer : answer.replace(candidate, `$1 ${viaPort}`);
    await this.#page.evaluate(ACCEPT(sdp));
  }

  /** Publishes over WHIP; returns the resource. */
  async whip(url: string, viaPort?: number): Promise<void> {
    const headers = { "content-type": "application/sdp" };
    const response = await fetch(url, { method: "POST", headers, body: this.offer });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`WHIP: ${response.status} ${answer}`);
    await this.accept(answer, viaPort);
  }

  /** Camera or microphone off or on, as a page does it. */
  async enable(kind: "video" | "audio", enabled: boolean): Promise<void> {
    const sender = `lab.peer.getSenders().find(({ track }) => track.kind === "${kind}")`;
    await this.#page.evaluate(`{ ${sender}.track.enabled = ${enabled}; }`);
  }

  async stats(): Promise<SendingSample> {
    return (await this.#page.evaluate(STATS)) as SendingSample;
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}
