/** What two WebRTC ends tell each other about ICE (RFC 8839) and DTLS (RFC 8842). */

/** Role in the DTLS handshake (RFC 4145, section 4). */
export type DtlsSetup = "actpass" | "active" | "passive";

/** ICE and DTLS parameters of the other side, from its session description. */
export interface RemoteTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** Hash function and hex digits as in `a=fingerprint`, for example `sha-256 AB:CD:...`. */
  readonly fingerprint: string;
  readonly setup: DtlsSetup;
}

/** One ICE candidate as in `a=candidate`, without the attribute name. */
export type CandidateLine = string;

/** Our ICE and DTLS parameters, to be written into a session description. */
export interface LocalTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: string;
  readonly setup: "active" | "passive";
  readonly candidates: readonly CandidateLine[];
}
