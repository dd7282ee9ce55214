import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/** A bound UDP socket. Rejects when the port is taken. */
export function bindUdp(address: string | undefined, family: 4 | 6, port: number): Promise<Socket> {
  const socket = createSocket({ type: family === 6 ? "udp6" : "udp4", reuseAddr: false });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, ...(address === undefined ? {} : { address }) }, () => {
      socket.removeAllListeners("error");
      // Errors of single datagrams, such as a port that nobody listens on, are not the end.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** The address from which datagrams to `remote` leave. */
export async function localAddressTowards(remote: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(remote) ? "udp6" : "udp4");
  try {
    return await new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(port, remote, () => resolve(socket.address().address));
    });
  } finally {
    socket.close();
  }
}
