/** Whose fault a failure is: the RTMP destination's, ours, or the caller's (REST, WCS, WHIP). */
export type FaultSide = "destination" | "ours" | "caller";

/** What distinguishes one failure from another; a value, safe to send between processes. */
export interface FailureValue<Code extends string = string> {
  readonly code: Code;
  /** A sentence for a person, without secrets. */
  readonly message: string;
}

/** A refusal, or the world failing us: an expected outcome with a stable code. Knows no codes itself. */
export class Failure<Code extends string = string> extends Error implements FailureValue<Code> {
  override readonly name = "Failure";
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** The plain value of this failure, for messages and JSON. */
  toValue(): FailureValue<Code> {
    return { code: this.code, message: this.message };
  }
}
