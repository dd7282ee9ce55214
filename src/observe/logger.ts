import { type DestinationStream, destination, pino } from "pino";

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

/** Up to the end of the word or of the JSON string, whole escapes included. */
const RTMP_URL = /\b(rtmps?:\/\/)((?:[^\s"\\]|\\.)*)/gi;

/** The second line of defence: what slipped into a message loses its stream key and credentials here. */
function withoutKeys(line: string): string {
  return line.replace(RTMP_URL, (_all, scheme: string, rest: string) => {
    // With an @ it is not certain where credentials end and the host begins.
    const host = rest.includes("@") ? "" : (/^[^/?#]*/.exec(rest)?.[0] ?? "");
    return `${scheme}${host}${host === rest ? "" : "[redacted]"}`;
  });
}

/**
 * JSON lines on standard output, or on `to`; in a worker, standard output is the control process's log.
 * RTMP URLs in them are cut down to scheme and host.
 */
export function createLogger(level: LogLevel, to: DestinationStream = destination(1)): Logger {
  return pino(
    {
      level,
      base: null,
      errorKey: "error",
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutKeys },
    },
    to,
  );
}
