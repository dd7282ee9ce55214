/**
 * The peer broke a rule of its protocol. The only error a parser throws; whoever owns the dialogue
 * closes it and counts it.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** Stable identifier of the rule, such as `rtmp.chunk.tooLarge`. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}
