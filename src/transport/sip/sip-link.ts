/** The way of the signalling of one call: a UDP socket or a TCP connection of its own. */
import { lookup } from "node:dns/promises";
import { connect, isIP, isIPv6, type Socket as TcpSocket } from "node:net";
import { ProtocolError } from "../../base/protocol-error.ts";
import { fail } from "../../contract/failures.ts";
import type { PortRange } from "../../contract/worker-options.ts";
import type { Hop } from "../../protocol/sip/identity.ts";
import { parseSipMessage, type SipMessage } from "../../protocol/sip/message.ts";
import { SipStreamFramer } from "../../protocol/sip/stream-framer.ts";
import { onFreePort } from "./port-range.ts";
import { bindUdp, localAddressTowards } from "./udp-socket.ts";

export interface SipLinkOptions {
  readonly transport: "udp" | "tcp";
  /** Where everything goes that has no address of its own. */
  readonly server: Hop;
  readonly ports: PortRange;
  readonly bindAddress: string | undefined;
  /** Whether an address may be sent to. */
  readonly mayConnect: (address: string) => boolean;
}

export interface SipLinkHandlers {
  onMessage(message: SipMessage, from: Hop): void;
  /** The connection is gone. */
  onClosed(): void;
}

export interface SipLink {
  /** Ours, as the other side can see it without address translation. */
  readonly address: string;
  readonly port: number;
  send(bytes: Uint8Array, hop: Hop | undefined): void;
  close(): void;
}

const CONNECT_PATIENCE_MS = 8000;

/** Rejects with `Failure`: `sipUnreachable`, `addressForbidden`, `callNoPort`. */
export async function openSipLink(
  options: SipLinkOptions,
  handlers: SipLinkHandlers,
): Promise<SipLink> {
  const server = { host: await resolveServer(options), port: options.server.port };
  return options.transport === "tcp"
    ? openTcp(options, server, handlers)
    : openUdp(options, server, handlers);
}

async function resolveServer({ server, mayConnect, bindAddress }: SipLinkOptions): Promise<string> {
  const addresses = isIP(server.host) === 0 ? await resolve(server.host) : [server.host];
  const family = bindAddress === undefined ? 0 : isIP(bindAddress);
  const usable = addresses.filter((address) => family === 0 || isIP(address) === family);
  const [address] = usable.filter(mayConnect);
  if (address !== undefined) return address;
  if (usable.length === 0) throw fail("sipUnreachable", `${server.host} has no usable address`);
  throw fail("addressForbidden", `no address of ${server.host} may be sent to`);
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
  } catch (error) {
    throw fail("sipUnreachable", `${host} cannot be resolved`, error);
  }
}

async function openUdp(
  options: SipLinkOptions,
  server: Hop,
  { onMessage }: SipLinkHandlers,
): Promise<SipLink> {
  const { bindAddress, ports } = options;
  const family = isIPv6(server.host) ? 6 : 4;
  const socket = await onFreePort(ports, 1, (port) => bindUdp(bindAddress, family, port));
  let closed = false;
  socket.on("message", (bytes, { address, port }) => {
    const message = parse(bytes);
    if (!closed && message !== undefined) onMessage(message, { host: address, port });
  });
  const address = bindAddress ?? (await localAddressTowards(server.host, server.port));
  return {
    address,
    port: socket.address().port,
    send: (bytes, hop) => {
      if (closed) return;
      const to = reachable(hop, server, options);
      socket.send(bytes, to.port, to.host, () => undefined);
    },
    close: () => {
      if (!closed) socket.close();
      closed = true;
    },
  };
}

/** An address of the other side's choice is taken only when it is one, of our family, and allowed. */
function reachable(hop: Hop | undefined, server: Hop, { mayConnect }: SipLinkOptions): Hop {
  if (hop === undefined || isIP(hop.host) !== isIP(server.host)) return server;
  return mayConnect(hop.host) ? hop : server;
}

/** What is no SIP message is ignored: anything may come to a port. */
function parse(bytes: Uint8Array): SipMessage | undefined {
  try {
    return parseSipMessage(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

async function openTcp(
  options: SipLinkOptions,
  server: Hop,
  handlers: SipLinkHandlers,
): Promise<SipLink> {
  const socket = await onFreePort(options.ports, 1, (port) => dial(options, server, port));
  const framer = new SipStreamFramer();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    socket.destroy();
  };
  socket.on("data", (bytes) => {
    try {
      for (const message of framer.push(bytes)) {
        if (!closed) handlers.onMessage(message, server);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      socket.destroy();
    }
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (!closed) handlers.onClosed();
    closed = true;
  });
  return {
    address: socket.localAddress ?? "",
    port: socket.localPort ?? 0,
    send: (bytes) => {
      if (!closed) socket.write(bytes);
    },
    close,
  };
}

function dial({ bindAddress }: SipLinkOptions, server: Hop, localPort: number): Promise<TcpSocket> {
  const socket = connect({
    ...server,
    localPort,
    noDelay: true,
    keepAlive: true,
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
  });
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined): void => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on("error", () => undefined);
      socket.destroy();
      reject(error);
    };
    const late = fail("sipUnreachable", "the SIP server does not answer");
    const timer = setTimeout(() => settle(late), CONNECT_PATIENCE_MS);
    socket.once("connect", () => settle(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE" || error.code === "EADDRNOTAVAIL";
      settle(taken ? error : fail("sipUnreachable", "the SIP server cannot be reached", error));
    });
  });
}
