/** A remark in a picture that says when it was sent: SEI user data (ITU-T H.264, D.1.7). */

const UUID = Buffer.from("7c7a6c1f5b0e4d6f9d0a3b1e42f86a11", "hex");
const TIME_BYTES = 8;
/** NAL header, payload type 5, payload size, and whose data it is. */
const HEAD = Buffer.of(0x06, 0x05, UUID.length + TIME_BYTES, ...UUID);
const TRAILING = 0x80;

/** Microseconds of the machine's monotonic clock, the same in all its processes. */
export const machineMicros = (): number => Number(process.hrtime.bigint() / 1000n);

/** A NAL unit that holds `sentAt`, microseconds of `machineMicros`: 7 bits a byte, so that nothing needs emulation prevention (7.4.1). */
export function marker(sentAt: number): Buffer {
  const unit = Buffer.alloc(HEAD.length + TIME_BYTES + 1, TRAILING);
  unit.set(HEAD);
  let rest = sentAt;
  for (let at = HEAD.length + TIME_BYTES - 1; at >= HEAD.length; at -= 1) {
    unit[at] = 0x80 | (rest % 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return unit;
}

/** What `marker` put into a NAL unit; undefined for any other. */
export function markedTime(unit: Uint8Array): number | undefined {
  if (unit.length < HEAD.length + TIME_BYTES) return undefined;
  if (HEAD.compare(unit, 0, HEAD.length) !== 0) return undefined;
  let time = 0;
  for (let at = HEAD.length; at < HEAD.length + TIME_BYTES; at += 1) {
    time = time * 0x80 + ((unit[at] as number) & 0x7f);
  }
  return time;
}
