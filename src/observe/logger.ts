import { pino } from "pino";

/** Fields of one line; names say the unit. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One line per change of state, none per packet. Never give it a key, a password or a whole RTMP URL. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard output; in a worker, standard output is the control process's log. */
export function createLogger(level: LogLevel): Logger {
  return pino({ level, base: null, errorKey: "error", timestamp: pino.stdTimeFunctions.isoTime });
}
