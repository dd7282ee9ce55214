import { BlockList, isIP, isIPv6 } from "node:net";

/** Which destinations may be connected to. An entry is a host name, `*.name`, an address, or a CIDR range. */
export interface DestinationRules {
  /** Private, loopback, link-local and other ranges that are not on the public internet. */
  readonly allowPrivate: boolean;
  /** When there are any, a destination has to match one of them. */
  readonly allow: readonly string[];
  /** A destination that matches one of them is refused, whatever else allows it. */
  readonly deny: readonly string[];
}

/** Judges an address that was found for a host; to be asked of the address really connected to. */
export type MayConnect = (address: string, host: string) => boolean;

/** Ranges that are not globally reachable, or lead to such (RFC 6890 and its registries). */
const PRIVATE: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

/** Entries of one list, sorted by what they match. */
interface Matcher {
  readonly empty: boolean;
  matchesHost(host: string): boolean;
  matchesAddress(address: string): boolean;
}

/** Builds the check; the lists must hold entries that `isDestinationRule` takes. */
export function destinationGuard(rules: DestinationRules): MayConnect {
  const nonPublic = matcher(PRIVATE);
  const allow = matcher(rules.allow);
  const deny = matcher(rules.deny);
  return (written, host) => {
    const address = plainAddress(written);
    if (isIP(address) === 0) return false;
    if (deny.matchesHost(host) || deny.matchesAddress(address)) return false;
    const listed = allow.matchesAddress(address);
    // A name that is allowed does not open private ranges: its owner decides where it points to.
    if (!rules.allowPrivate && !listed && nonPublic.matchesAddress(address)) return false;
    return allow.empty || listed || allow.matchesHost(host);
  };
}

/** Whether the check can understand an entry of the lists. */
export function isDestinationRule(entry: string): boolean {
  if (entry.includes("/")) return parseRange(entry) !== undefined;
  return isIP(entry) !== 0 || /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(entry);
}

function matcher(entries: readonly string[]): Matcher {
  const ranges = new BlockList();
  const names: string[] = [];
  for (const entry of entries) {
    const range = parseRange(entry);
    if (range === undefined) names.push(entry.toLowerCase());
    else ranges.addSubnet(range.network, range.prefix, range.family);
  }
  return {
    empty: entries.length === 0,
    matchesHost(host) {
      const name = host.toLowerCase().replace(/\.$/, "");
      return names.some((entry) =>
        entry.startsWith("*.") ? name.endsWith(entry.slice(1)) : name === entry,
      );
    },
    matchesAddress: (address) => ranges.check(address, isIPv6(address) ? "ipv6" : "ipv4"),
  };
}

/** An address or CIDR range; undefined for anything else. */
function parseRange(entry: string) {
  const [, written = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const network = plainAddress(written);
  const version = isIP(network);
  if (version === 0) return undefined;
  const longest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  if (prefix > longest) return undefined;
  return { network, prefix, family: version === 6 ? "ipv6" : "ipv4" } as const;
}

/** Without a zone; IPv4 written as IPv6 becomes IPv4 again. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, "");
  if (!isIPv6(bare)) return bare;
  // The canonical form: in this range two groups of hexadecimal digits after ::ffff:
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const bytes = [Number.parseInt(high, 16), Number.parseInt(low, 16)].flatMap((group) => [
    group >> 8,
    group & 0xff,
  ]);
  return bytes.join(".");
}
