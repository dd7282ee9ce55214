/** A remark in a picture that says when it was sent: SEI user data (ITU-T H.264, D.1.7). */

const UUID = Buffer.from("7c7a6c1f5b0e4d6f9d0a3b1e42f86a11", "hex");
/** NAL header, payload type 5, payload size. */
const HEAD = Buffer.of(0x06, 0x05, UUID.length + 8);
const TRAILING = 0x80;

/** Microseconds of the machine's monotonic clock, the same in all its processes. */
export const machineMicros = (): number => Number(process.hrtime.bigint() / 1000n);

/** A NAL unit that holds `sentAt`, microseconds of `machineMicros`. */
export function marker(sentAt: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(sentAt));
  const body = Buffer.concat([UUID, time, Buffer.of(TRAILING)]);
  return Buffer.concat([HEAD, protect(body)]);
}

/** What `marker` put into a NAL unit; undefined for any other. */
export function markedTime(unit: Uint8Array): number | undefined {
  const bytes = Buffer.from(unit.buffer, unit.byteOffset, unit.byteLength);
  if (!bytes.subarray(0, 3).equals(HEAD) || !bytes.subarray(3, 19).equals(UUID)) return undefined;
  return Number(unprotect(bytes.subarray(19)).readBigUInt64BE(0));
}

/** Emulation prevention (7.4.1). */
function protect(bytes: Buffer): Buffer {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
}

function unprotect(bytes: Buffer): Buffer {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
}
