/** A dry run: goes the whole way to a destination, step by step, and sends no media. */
import type { Socket } from "node:net";
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { type Clock, type Micros, type Millis, toMillis } from "../../base/time.ts";
import {
  type CheckStep,
  PROBE_STEPS,
  type ProbeReport,
  type ProbeStepName,
  skippedStep,
} from "../../contract/destination-check.ts";
import { asFailure, type CodedFailure, fail } from "../../contract/failures.ts";
import type { ServerCapabilities } from "../../protocol/rtmp/command.ts";
import { answerDemand } from "./auth-ladder.ts";
import { connectFirst, type DialOptions, resolveHost, secure } from "./dial.ts";
import { type DialogueEnd, probeDialogue } from "./probe-dialogue.ts";

export interface ProbeOptions extends DialOptions {
  readonly flashVersion: string;
  /** For everything together. */
  readonly timeout: Millis;
  /** Asks for the right to publish too; without it the stream name is never sent. */
  readonly publish: boolean;
}

const MAX_ADDRESSES = 8;

/** Never rejects: what fails is a step of the report. */
export async function probeDestination(options: ProbeOptions, clock: Clock): Promise<ProbeReport> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), options.timeout);
  try {
    return await new Probe(options, clock, abort.signal).run();
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

class Probe {
  readonly #options: ProbeOptions;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #steps: CheckStep[] = [];
  #begun: { readonly step: ProbeStepName; readonly at: Micros } | undefined;
  #capabilities: ServerCapabilities | undefined;

  constructor(options: ProbeOptions, clock: Clock, signal: AbortSignal) {
    this.#options = options;
    this.#clock = clock;
    this.#signal = signal;
  }

  async run(): Promise<ProbeReport> {
    try {
      await this.#climb();
    } catch (error) {
      this.#failed(asFailure(error));
    }

    const steps = PROBE_STEPS.map(
      (name) => this.#steps.find(({ step }) => step === name) ?? skippedStep(name),
    );
    const { videoFourCc = [], audioFourCc = [] } = this.#capabilities ?? {};
    return {
      steps,
      capabilities: { videoFourCc: known(videoFourCc), audioFourCc: known(audioFourCc) },
    };
  }

  async #climb(): Promise<void> {
    const { url } = this.#options;
    const allowed = await this.#addresses();
    let query: string | undefined;
    for (let connection = 1; ; connection += 1) {
      const socket = await this.#connect(allowed, connection === 1);
      if (query === undefined) this.#begin("rtmp");
      const end = await this.#converse(socket, query);
      if (end.kind === "failed") throw end.failure;
      if (end.kind === "accepted") break;
      if (query === undefined) {
        this.#ok("the server answers, and asks for credentials");
        this.#begin("authentication");
      }
      query = answerDemand(url, end.refusal.demand, connection);
    }
    if (this.#options.publish) this.#ok("the server takes the stream");
  }

  async #addresses(): Promise<readonly string[]> {
    const { url, mayConnect } = this.#options;
    this.#begin("dns");
    const found = await this.#inTime(resolveHost(url.host, this.#signal));
    this.#ok(isIP(url.host) === 0 ? found.slice(0, MAX_ADDRESSES).join(", ") : "an address");
    this.#begin("address");
    const allowed = found.filter((address) => mayConnect(address, url.host));
    if (allowed.length === 0) {
      throw fail("addressForbidden", `no address of ${url.host} may be connected to`);
    }
    this.#ok(
      allowed.length === found.length ? "allowed" : `${allowed.length} of ${found.length} allowed`,
    );
    return allowed;
  }

  /** Only the first connection is reported; those that authentication needs besides are like it. */
  async #connect(addresses: readonly string[], report: boolean): Promise<Socket> {
    const { url } = this.#options;
    if (report) this.#begin("tcp");
    const socket = await connectFirst(addresses, this.#options, this.#signal).catch((error) => {
      throw this.#signal.aborted ? late() : error;
    });
    if (report) this.#ok(`connected to ${placeOf(socket)}`);
    if (url.scheme === "rtmp") return socket;
    if (report) this.#begin("tls");
    const secured = await secure(socket, this.#options, this.#signal).catch((error) => {
      throw this.#signal.aborted ? late() : error;
    });
    if (report) this.#ok(describeTls(secured));
    return secured;
  }

  #converse(socket: Socket, query: string | undefined): Promise<DialogueEnd> {
    const { url, flashVersion, timeout, publish } = this.#options;
    return probeDialogue(
      socket,
      { url, flashVersion, timeout, publish, query },
      { clock: this.#clock, onConnected: (capabilities) => this.#onConnected(capabilities) },
      this.#signal,
    );
  }

  #onConnected(capabilities: ServerCapabilities): void {
    this.#capabilities = capabilities;
    this.#ok(
      this.#begun?.step === "authentication"
        ? "the server accepts user and password"
        : "the server accepts the application",
    );
    if (this.#options.publish) this.#begin("publish");
  }

  #begin(step: ProbeStepName): void {
    this.#begun = { step, at: this.#clock.now() };
  }

  #ok(detail: string): void {
    const { step, ms } = this.#take();
    this.#steps.push({ step, outcome: "ok", ms, code: null, detail });
  }

  #failed({ code, message }: CodedFailure): void {
    const { step, ms } = this.#take();
    this.#steps.push({ step, outcome: "failed", ms, code, detail: message });
  }

  /** The step under way, which is over now. */
  #take(): { readonly step: ProbeStepName; readonly ms: number } {
    const { step, at } = this.#begun ?? { step: "dns" as const, at: this.#clock.now() };
    this.#begun = undefined;
    return { step, ms: toMillis((this.#clock.now() - at) as Micros) };
  }

  /** The resolver of the system cannot be stopped, but it need not be waited for. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#signal.addEventListener("abort", () => reject(late()), { once: true });
      work.then(resolve, reject);
    });
  }
}

const late = (): CodedFailure => fail("connectTimeout", "no answer in time");

const placeOf = ({ remoteAddress = "", remotePort }: Socket): string =>
  `${isIP(remoteAddress) === 6 ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;

/** Of the server's own texts only what is printable and short. */
const clean = (text: string): string => text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 100);
const known = (names: readonly string[]): string[] =>
  names.filter((name) => /^[\w.*-]{1,16}$/.test(name));

function describeTls(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return "secured";
  const { subject, valid_to: until } = socket.getPeerCertificate();
  const name = clean(String(subject?.CN ?? "without a name"));
  const trust = socket.authorized ? "" : ", not trusted";
  return `${socket.getProtocol() ?? "TLS"}, certificate of ${name} until ${clean(until ?? "")}${trust}`;
}
