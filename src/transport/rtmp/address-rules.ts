import { BlockList, isIPv6 } from "node:net";

/** Which addresses a push may connect to. */
export interface AddressRules {
  /** Private, loopback, link-local and other ranges that are not on the public internet. */
  readonly allowPrivate: boolean;
}

/** Ranges that are not globally reachable (RFC 6890 and its registry). */
const PRIVATE: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
];

function privateRanges(): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of PRIVATE) {
    list.addSubnet(network, prefix, isIPv6(network) ? "ipv6" : "ipv4");
  }
  return list;
}

/** Builds the check for one address as DNS gave it; IPv4 written as IPv6 is judged as IPv4. */
export function mayConnect(rules: AddressRules): (address: string) => boolean {
  if (rules.allowPrivate) return () => true;
  const ranges = privateRanges();
  return (address) => {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
    const plain = mapped ?? address;
    return !ranges.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  };
}
