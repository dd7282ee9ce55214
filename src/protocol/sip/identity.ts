import type { Hash } from "./digest.ts";
import { bracketed } from "./uri.ts";

/** Who and where this end of a call is, and what a pure floor has to be given. */
export interface SipIdentity {
  readonly transport: "UDP" | "TCP";
  /** Announced to the other side; an IP address. */
  readonly address: string;
  readonly port: number;
  readonly userAgent: string;
  /** A random token of 16 or more letters and digits. */
  readonly token: () => string;
  readonly hash: Hash;
}

/** Where to send; undefined means to the server that the call goes through. */
export interface Hop {
  readonly host: string;
  readonly port: number;
}

export const viaOf = (identity: SipIdentity, branch: string): string =>
  `SIP/2.0/${identity.transport} ${bracketed(identity.address)}:${identity.port};branch=${branch};rport`;

/** Our Contact: where requests of the other side reach us. */
export function contactOf({ transport, address, port }: SipIdentity, user: string): string {
  const parameter = transport === "TCP" ? ";transport=tcp" : "";
  return `<sip:${user}@${bracketed(address)}:${port}${parameter}>`;
}

/** Methods that are understood here. */
export const ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";
