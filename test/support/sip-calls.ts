/** Calls through a running server, with SIPp at the other end and ffmpeg for its media. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { type NginxRtmp, startNginxRtmp } from "./rtmp-receivers.ts";
import { startServer, type TestServer } from "./server.ts";
import { type Sipp, startSipp } from "./sipp.ts";
import { freePort } from "./static-site.ts";

export interface Call {
  readonly callId: string;
  readonly toStream: string;
}

interface Found {
  readonly status: string;
  readonly sipStatus: number | null;
  readonly reason: { readonly code: string } | null;
}

/** A server that calls, a destination, and everything that plays the other side. */
export class SipLab {
  readonly server: TestServer;
  readonly nginx: NginxRtmp;
  readonly password = randomBytes(9).toString("hex");
  readonly #started: (Sipp | ChildProcess)[] = [];

  private constructor(server: TestServer, nginx: NginxRtmp) {
    this.server = server;
    this.nginx = nginx;
  }

  static async open(settings: Readonly<Record<string, number | string>>): Promise<SipLab> {
    const [sip, media] = [await freePort(), await freePort()];
    const ports = { sip_port_from: sip, sip_port_to: 65_535, sip_media_port_from: media };
    const [server, nginx] = await Promise.all([
      startServer({ rtmp_port: 0, ...ports, sip_media_port_to: 65_535, ...settings }),
      startNginxRtmp(),
    ]);
    return new SipLab(server, nginx);
  }

  async close(): Promise<void> {
    for (const one of this.#started) {
      if ("stop" in one) await one.stop();
      else one.kill("SIGKILL");
    }
    await Promise.all([this.server.stop(), this.nginx.stop()]);
  }

  /** Plays the steps once, as whoever is called. */
  async callee(steps: readonly string[], options?: Parameters<typeof startSipp>[1]): Promise<Sipp> {
    const sipp = await startSipp(steps, options);
    this.#started.push(sipp);
    return sipp;
  }

  /** ffmpeg sends RTP to a port of loopback, in real time. */
  stream(args: readonly string[], port: string): ChildProcess {
    const to = ["-f", "rtp", `rtp://127.0.0.1:${port}`];
    const child = spawn("ffmpeg", ["-v", "error", ...args, ...to], { stdio: "ignore" });
    this.#started.push(child);
    return child;
  }

  async startCall({ port }: Sipp, more: object = {}): Promise<Call> {
    const [callId, toStream] = [randomBytes(8).toString("hex"), randomBytes(5).toString("hex")];
    const account = { sipLogin: "tester", sipPassword: this.password, sipPort: String(port) };
    const { status, body } = await this.server.rest("/call/startup", {
      ...{ callId, toStream, hasAudio: "true", hasVideo: "false", callee: "callee" },
      ...{ ...account, sipDomain: "127.0.0.1" },
      ...more,
    });
    assert.equal(status, 200, JSON.stringify(body));
    return { callId, toStream };
  }

  async untilStatus(wanted: string, { callId }: Call): Promise<Found> {
    const body = await this.server.restUntil("/call/find", { callId }, (status, found) => {
      return status === 200 && (found as [Found])[0].status === wanted;
    });
    return (body as [Found])[0];
  }

  async push({ toStream }: Call): Promise<string> {
    const body = { streamName: toStream, rtmpUrl: this.nginx.url };
    const answered = await this.server.rest("/push/startup", body);
    assert.equal(answered.status, 200, JSON.stringify(answered.body));
    return `rtmp_${toStream}`;
  }

  async findPush(streamName: string) {
    const { body } = await this.server.rest("/push/find", { streamName });
    return (body as [{ mediaSessionId: string; state: string; muted: boolean }])[0];
  }

  untilPushLive(streamName: string): Promise<unknown> {
    return this.server.restUntil("/push/find", { streamName }, (_status, found) =>
      /"live"/.test(JSON.stringify(found)),
    );
  }

  terminate({ callId }: Call) {
    return this.server.rest("/call/terminate", { callId });
  }
}
