/** One of our own promises is broken; never caused by a peer alone. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** Throws `Bug` with `message` unless `condition` holds. For our own promises only. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** Closes a switch over a closed union: compiles only when every variant was handled. */
export function unreachable(value: never): never {
  throw new Bug(`unhandled variant: ${JSON.stringify(value)}`);
}
