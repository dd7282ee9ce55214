/** Several nodes that act as one. */
import { integer, list, ms, optional, pattern, secretText, unprinted } from "../field.ts";

const isServer = (entry: string): boolean => /^(?:(?:nats|tls):\/\/)?[^\s/@]+$/.test(entry);
const isUrl =
  (...schemes: readonly string[]) =>
  (value: string): boolean =>
    URL.canParse(value) && schemes.includes(new URL(value).protocol);

export const cluster = {
  "cluster.nats_url": unprinted(
    list(
      "NATS servers, with JetStream, by which nodes find each other; empty leaves this node alone.",
      "addresses such as nats://host:4222 or tls://host:4222 between commas, without user and password, or empty",
      isServer,
    ),
  ),
  "cluster.nats_user": optional("User name at NATS."),
  "cluster.nats_password": secretText("Password at NATS."),
  "cluster.nats_token": secretText("Token for NATS, instead of a user."),
  "cluster.nats_creds_file": optional("Credentials file for NATS (JWT).", "a file name, or empty"),
  "cluster.nats_nkey": secretText("Seed of an NKey for NATS, instead of a user."),
  "cluster.nats_ca_file": optional(
    "PEM file of the authorities to trust for NATS over TLS, instead of the common ones.",
    "a file name, or empty",
  ),
  "cluster.nats_certificate_file": optional(
    "PEM file of this node's certificate, where NATS asks for one.",
    "a file name, or empty",
  ),
  "cluster.nats_key_file": optional("PEM file of its key.", "a file name, or empty"),
  "cluster.nats_replicas": integer(
    1,
    1,
    5,
    "Copies that NATS keeps of what the nodes tell each other; counts when it is kept first. More than 1 needs as many NATS servers.",
  ),
  "cluster.name": pattern(
    "transponder",
    /^[A-Za-z0-9_-]{1,32}$/,
    "Nodes of different clusters at the same NATS do not see each other.",
    "up to 32 letters, digits, - and _",
  ),
  "cluster.node_name": optional(
    "Name of this node, for people; empty is the host's name and four random letters, so that several nodes of one host differ.",
  ),
  "cluster.advertise_http": optional(
    "Base URL under which clients reach REST, WHIP and previews of this very node, past any load balancer; empty is made of ip, ip_local or the host's first address and http.port.",
    "an http:// or https:// URL, or empty",
    isUrl("http:", "https:"),
  ),
  "cluster.advertise_ws": optional(
    "URL under which WebSDK clients reach this very node; empty is made as above, with ws.port.",
    "a ws:// or wss:// URL, or empty",
    isUrl("ws:", "wss:"),
  ),
  "cluster.request_timeout_ms": ms(
    5000,
    100,
    60_000,
    "Another node has to answer within this time; then REST answers 504.",
  ),
};
