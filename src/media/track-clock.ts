/** One track's RTP clock, seen from its arrivals and from its sender reports (RFC 3550, section 6.4.1). */
import { type ClockRate, type Micros, micros, ticksToMicros } from "../base/time.ts";
import { type NtpTime, ntpMicros } from "../protocol/rtcp/ntp.ts";
import { extendTicks, type Ticks, type WireTicks } from "../protocol/rtp/timestamp.ts";
import { WindowedMinimum } from "./windowed-minimum.ts";

/** The two clocks of a sender at one instant. */
export interface ClockPair {
  readonly ntp: NtpTime;
  readonly timestamp: WireTicks;
}

interface ReportedPair {
  readonly ntp: Micros;
  readonly media: Micros;
  readonly at: Micros;
}

const SECOND = 1_000_000;
/** Media further ahead of its arrival than this was not sent early: the sender changed its timestamps. */
const JUMP_AHEAD = 2 * SECOND;
/** Pictures in decoding order may go back by a few frames; anything more is a restart. */
const JUMP_BACK = SECOND / 5;
/** A report further from its arrival than this is nonsense. */
const ABSURD_REPORT = 10 * SECOND;
/** What two reports may disagree about the time between them: jitter of the sender, and 1000 ppm. */
const REPORT_NOISE = 30_000;
const REPORT_DRIFT = 0.001;
const REPORT_LIFE = 60 * SECOND;
/** Some senders put this before they have sent anything. */
const NO_TIMESTAMP = 0xffff_ffff;

/**
 * Measures one RTP clock against ours and against the sender's NTP clock. All figures are relative to
 * an anchor, the first timestamp after a start or a jump; `delay` and `ntp` say when the anchor was.
 */
export class TrackClock {
  readonly #rate: ClockRate;
  #anchor: Ticks | undefined;
  #latest: Ticks | undefined;
  #delays = TrackClock.#window();
  #pending: { readonly pair: ClockPair; readonly at: Micros } | undefined;
  #report: ReportedPair | undefined;
  #ntp = 0;
  #ntpReports = 0;
  #wallBias = 0;

  constructor(rate: ClockRate) {
    this.#rate = rate;
  }

  /** Our time at the anchor plus the shortest delay of the last 20 s; undefined before the first frame. */
  get delay(): number | undefined {
    return this.#anchor === undefined ? undefined : this.#delays.value;
  }

  /** The sender's NTP time at the anchor, microseconds; undefined without a report in the last minute. */
  ntp(now: Micros): number | undefined {
    const fresh = this.#report !== undefined && now - this.#report.at < REPORT_LIFE;
    return fresh && this.#ntpReports > 0 ? this.#ntp : undefined;
  }

  /** Microseconds from the anchor to `ticks`, exact. */
  media(ticks: Ticks): Micros {
    return ticksToMicros(ticks - (this.#anchor ?? ticks), this.#rate);
  }

  /** The next frame is from another source, or the same one after a restart. */
  restart(): void {
    this.#latest = undefined;
  }

  /** Forgets what the sender reports said. */
  forgetReports(): void {
    this.#report = undefined;
    this.#pending = undefined;
    this.#ntpReports = 0;
    this.#wallBias = 0;
  }

  /**
   * A frame of the track, in order; `arrival` is that of its first packet. Returns true when it became
   * the new anchor: at the start, after `restart`, and when its timestamp does not follow.
   */
  observe(ticks: Ticks, arrival: Micros): boolean {
    if (!this.#follows(ticks, arrival)) {
      this.#anchorAt(ticks, arrival);
      return true;
    }
    this.#latest = ticks;
    this.#delays.add(arrival - this.media(ticks), arrival);
    return false;
  }

  /** A sender report of this track. One that cannot be true is ignored. */
  onReport(pair: ClockPair, now: Micros): void {
    if (pair.timestamp === NO_TIMESTAMP) return;
    if (pair.ntp.seconds === 0 && pair.ntp.fraction === 0) return;
    if (this.#latest === undefined) {
      this.#pending = { pair, at: now };
      return;
    }
    const media = this.media(extendTicks(pair.timestamp, this.#latest));
    if (Math.abs(now - media - this.#delays.value) > ABSURD_REPORT) return;
    this.#learn({ ntp: ntpMicros(pair.ntp), media, at: now });
  }

  #learn(report: ReportedPair): void {
    const measured = report.ntp - report.media;
    const before = this.#report;
    this.#report = report;
    if (before !== undefined && this.#ntpReports > 0) {
      const wall = report.ntp - before.ntp;
      const media = report.media - before.media;
      const real = report.at - before.at;
      if (Math.abs(wall - media) > REPORT_NOISE + REPORT_DRIFT * Math.abs(real)) {
        // One of the two clocks jumped. The one that kept pace with ours did not.
        if (Math.abs(media - real) <= Math.abs(wall - real)) this.#wallBias = this.#ntp - measured;
        else this.#ntpReports = 0;
      }
    }
    const corrected = measured + this.#wallBias;
    this.#ntpReports = Math.min(this.#ntpReports + 1, 4);
    if (this.#ntpReports === 1) this.#ntp = corrected;
    else this.#ntp += (corrected - this.#ntp) / this.#ntpReports;
  }

  #follows(ticks: Ticks, arrival: Micros): boolean {
    if (this.#latest === undefined) return false;
    const media = this.media(ticks);
    if (media < this.media(this.#latest) - JUMP_BACK) return false;
    return arrival - media > this.#delays.value - JUMP_AHEAD;
  }

  #anchorAt(ticks: Ticks, arrival: Micros): void {
    const pending = this.#pending;
    this.forgetReports();
    this.#anchor = ticks;
    this.#latest = ticks;
    this.#delays = TrackClock.#window();
    this.#delays.add(arrival, arrival);
    if (pending !== undefined) this.onReport(pending.pair, pending.at);
  }

  static #window(): WindowedMinimum {
    return new WindowedMinimum(micros(2 * SECOND), 10);
  }
}
