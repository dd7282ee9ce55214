/** From a host name to an open TCP or TLS connection. */
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, rootCertificates, type TLSSocket } from "node:tls";
import { type CodedFailure, fail } from "../../contract/failures.ts";
import type { RtmpPublisherOptions } from "./publisher.ts";
import { connectFailure, tlsFailure } from "./rtmp-failure.ts";

export type DialOptions = Pick<
  RtmpPublisherOptions,
  "url" | "localAddress" | "extraCa" | "verifyCertificate" | "mayConnect"
>;

const KEEP_ALIVE_DELAY = 10_000;
/** An address that does not answer gives way to the next after so many milliseconds. */
const ADDRESS_PATIENCE = 3_000;

/** Takes what the other side sends; what it is given may be overwritten afterwards. */
type Taker = (bytes: Uint8Array) => void;

/** What was read last, of any socket: a server that confirms sends 16 bytes, and the runtime would get 64 KiB for each. */
const READ = new Uint8Array(16_384);

/**
 * Connects to one of the host's addresses, in the order of the resolver. Only addresses that `mayConnect`
 * allows are tried, and the name is resolved once. The socket has no listeners; `take` gets what it reads.
 * @throws Failure `dnsFailed`, `addressForbidden`, `connectRefused`, `connectTimeout`, `tlsFailed`,
 * `tlsCertificate`, `stopped` when `signal` was aborted
 */
export async function dial(
  options: DialOptions,
  take: Taker,
  signal: AbortSignal,
): Promise<Socket> {
  const { url } = options;
  const plain = url.scheme === "rtmp";
  const addresses = await resolveHost(url.host, signal);
  const allowed = addresses.filter((address) => options.mayConnect(address, url.host));
  if (allowed.length === 0) {
    throw fail("addressForbidden", `no address of ${url.host} may be connected to`);
  }
  const socket = await connectFirst(allowed, options, signal, plain ? take : undefined);
  return plain ? socket : (await secure(socket, options, signal)).on("data", take);
}

/**
 * Addresses of a host, in the order of the resolver. The resolver of the system cannot be stopped; what it
 * finds after the abort finds nobody.
 * @throws Failure `dnsFailed`, `stopped`
 */
export function resolveHost(host: string, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((found, reject) => {
    const giveUp = (): void => reject(fail("stopped", "the connection was given up"));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    lookup(host, { all: true, verbatim: true })
      .then((all) => found(all.map(({ address }) => address)))
      .catch((error: unknown) => reject(fail("dnsFailed", `${host} cannot be resolved`, error)))
      .finally(() => signal.removeEventListener("abort", giveUp));
  });
}

/** Connects to one address after the other; the last failure counts. With `take` there are no "data" events. */
export async function connectFirst(
  addresses: readonly string[],
  options: DialOptions,
  signal: AbortSignal,
  take?: Taker,
): Promise<Socket> {
  let last: CodedFailure = fail("connectRefused", "there is no address");
  for (const [index, address] of addresses.entries()) {
    if (signal.aborted) break;
    const patience = index < addresses.length - 1 ? ADDRESS_PATIENCE : undefined;
    const outcome = await open(address, { ...options, patience, take }, signal);
    if (outcome instanceof Error) last = outcome;
    else return outcome;
  }
  throw signal.aborted ? fail("stopped", "the connection was given up") : last;
}

function open(
  address: string,
  options: DialOptions & {
    readonly patience: number | undefined;
    readonly take: Taker | undefined;
  },
  signal: AbortSignal,
): Promise<Socket | CodedFailure> {
  const { port } = options.url;
  const { localAddress, take } = options;
  const socket = connectTcp({
    host: address,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(take === undefined ? {} : { onread: reader(take) }),
  });
  const place = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  return new Promise((resolve) => {
    const settle = (outcome: Socket | CodedFailure) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      socket.removeAllListeners();
      if (outcome instanceof Error) discard(socket);
      resolve(outcome);
    };
    const giveUp = () => settle(fail("connectTimeout", `${place} does not answer`));
    const timer = options.patience === undefined ? undefined : setTimeout(giveUp, options.patience);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("connect", () => settle(socket));
    socket.once("error", (error) => settle(connectFailure(error, place)));
  });
}

function reader(take: Taker): OnReadOpts {
  return {
    buffer: READ,
    callback: (size) => {
      take(READ.subarray(0, size));
      return true;
    },
  };
}

/** TLS over an open connection. @throws Failure `tlsFailed`, `tlsCertificate`, `stopped` */
export function secure(
  socket: Socket,
  options: DialOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { url, extraCa, verifyCertificate } = options;
  const secured = connectTls({
    socket,
    rejectUnauthorized: verifyCertificate,
    // An address must not be sent as server name (RFC 6066, section 3); it is checked all the same.
    ...(isIP(url.host) === 0 ? { servername: url.host } : { host: url.host }),
    ...(extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] }),
  });
  const place = `${url.host}:${url.port}`;
  return new Promise((resolve, reject) => {
    const settle = (failure: CodedFailure | undefined) => {
      signal.removeEventListener("abort", giveUp);
      secured.removeAllListeners("error");
      secured.removeAllListeners("close");
      if (failure === undefined) {
        resolve(secured);
        return;
      }
      discard(secured);
      reject(failure);
    };
    const giveUp = () => settle(fail("stopped", "the connection was given up"));
    signal.addEventListener("abort", giveUp, { once: true });
    secured.once("secureConnect", () => settle(undefined));
    secured.once("error", (error) => settle(tlsFailure(error, place)));
    secured.once("close", () => settle(fail("tlsFailed", `${place}: closed during TLS handshake`)));
  });
}

/** Errors of a socket that nobody wants any more must not reach the process. */
function discard(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.destroy();
}
