/** NTP timestamps as RTCP carries them (RFC 3550, section 4): 32 bits of seconds, 32 of fraction. */
import { type Micros, micros } from "../../base/time.ts";

/** A point on the sender's wall clock, or on any other clock that its tracks share. */
export interface NtpTime {
  /** Seconds since 1900, modulo 2^32. */
  readonly seconds: number;
  /** Parts of 2^-32 seconds. */
  readonly fraction: number;
}

const FRACTIONS = 0x1_0000_0000;
/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800;

/** Microseconds since 1900; exact to the microsecond, a safe integer for every value. */
export function ntpMicros(time: NtpTime): Micros {
  return micros(time.seconds * 1_000_000 + Math.floor((time.fraction * 1_000_000) / FRACTIONS));
}

/** Microseconds since 1900 as a timestamp; the inverse of `ntpMicros` to the microsecond. */
export function ntpFromMicros(us: Micros): NtpTime {
  const seconds = Math.floor(us / 1_000_000);
  const rest = us - seconds * 1_000_000;
  return {
    seconds: seconds % FRACTIONS,
    fraction: Math.ceil((rest * FRACTIONS) / 1_000_000),
  };
}

/** Unix time in microseconds as a timestamp. */
export function ntpFromUnix(us: Micros): NtpTime {
  return ntpFromMicros(micros(us + UNIX_EPOCH * 1_000_000));
}

/** The middle 32 bits: what LSR repeats (RFC 3550, section 6.4.1), in units of 1/65536 s. */
export function ntpMiddle(time: NtpTime): number {
  return (((time.seconds & 0xffff) << 16) | (time.fraction >>> 16)) >>> 0;
}
