/** Throws when a call into the codec library failed. */
export function check(what: string, code: number): void {
  if (code < 0) throw new Error(`${what} failed with ${code}`);
}
