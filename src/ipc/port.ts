/** One end of a pipe for plain values between two parts that may be two processes. Order is kept. */
export interface Port {
  /** False when the other end is gone. */
  post(value: unknown): boolean;
  /** One listener each; set once. */
  onValue(listener: (value: unknown) => void): void;
  /** The other end is gone. Called once. */
  onClose(listener: () => void): void;
  close(): void;
}
