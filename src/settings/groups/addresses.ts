/** Where this server listens and what it announces. */
import { address, integer, optionalPort, port } from "../field.ts";

export const addresses = {
  "ws.port": port(8080, "WebSocket port of the WebSDK."),
  "wss.port": optionalPort(8443, "The same over TLS."),
  "http.port": port(8081, "REST, WHIP and web page."),
  "https.port": optionalPort(8444, "The same over TLS."),
  rtmp_port: optionalPort(1935, "RTMP, to publish to and to play from."),
  ip: address("Public address to announce for media, when this machine is behind a NAT."),
  ip_local: address("Local address to bind media and servers to; empty binds all."),
  media_port_from: integer(
    31_001,
    1024,
    65_535,
    "First UDP port for media; each worker takes one.",
  ),
  media_port_to: integer(32_000, 1024, 65_535, "Last UDP port for media."),
};
