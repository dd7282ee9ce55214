import type { Failure } from "../base/failure.ts";
import { asFailure, FAILURES, type FailureCode } from "../contract/failures.ts";
import type { Logger } from "../observe/logger.ts";

/** The body of every refusal over HTTP. */
export interface ErrorBody {
  readonly exception: string;
  /** Stable code. */
  readonly reason: string;
  readonly path: string;
  readonly error: string;
  readonly message: string;
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly status: number;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  428: "Precondition Required",
  429: "Too Many Requests",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** What was thrown as a failure of the table; a defect of ours is logged and hidden behind `internal`. */
export function toFailure(error: unknown, logger: Logger): Failure<FailureCode> {
  const failure = asFailure(error);
  if (failure !== error) logger.error({ error }, "defect while answering a request");
  return failure;
}

/** The body for a status; `reason` is a failure code or the HTTP server's own. */
export function errorBody(
  status: number,
  reason: string,
  message: string,
  path: string,
  timestamp: number,
): ErrorBody {
  const error = TITLES[status] ?? (status >= 500 ? "Internal Server Error" : "Bad Request");
  const exception = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}Exception`;
  return { exception, reason, path, error, message, timestamp, status };
}

/** The `info` text that WCS clients compare. */
export const wcsInfo = (code: FailureCode): string => FAILURES[code].wcs;
