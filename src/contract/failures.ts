/**
 * Every refusal and every end there is: whose fault, whether a push may try again, the HTTP status, and
 * the `info` text that WCS clients compare (wire facts of Flashphoner WCS 5.2).
 */
import { Failure, type FaultSide } from "../base/failure.ts";

/** What one code means wherever it appears. */
export interface FailureRule {
  readonly side: FaultSide;
  /** May a push that ended this way be started again by itself? */
  readonly retry: boolean;
  readonly http: number;
  /** `info` of a FAILED or UNPUBLISHED status event. */
  readonly wcs: string;
  /** One sentence for the reference page. */
  readonly meaning: string;
}

const rule = (
  side: FaultSide,
  retry: boolean,
  http: number,
  wcs: string,
  meaning: string,
): FailureRule => ({ side, retry, http, wcs, meaning });

const ERROR = "Failed by error";
const WRITER = "Failed by RTMP writer error";

export const FAILURES = {
  badRequest: rule(
    "caller",
    false,
    400,
    ERROR,
    "A field is missing, of the wrong type or out of range; the message names it.",
  ),
  badUrl: rule("caller", false, 400, WRITER, "The RTMP URL cannot be understood."),
  hostUnknown: rule(
    "caller",
    false,
    400,
    WRITER,
    "DNS knows no address for the host of the RTMP URL.",
  ),
  unauthorized: rule(
    "caller",
    false,
    401,
    "Restricted access",
    "Credentials are missing or wrong.",
  ),
  forbidden: rule("caller", false, 403, "Restricted access", "The caller may not do this."),
  streamNotFound: rule(
    "caller",
    false,
    404,
    "Stream not found",
    "No stream of this name is published.",
  ),
  pushNotFound: rule("caller", false, 404, "Stream not found", "No push matches."),
  sessionNotFound: rule(
    "caller",
    false,
    404,
    "Session does not exist",
    "No media session has this id.",
  ),
  soundFileNotFound: rule(
    "caller",
    false,
    404,
    ERROR,
    "The media directory has no such sound file.",
  ),
  soundFileInvalid: rule(
    "caller",
    false,
    400,
    ERROR,
    "The sound file is not a WAV file that can be decoded.",
  ),
  soundNotEncodable: rule(
    "caller",
    false,
    409,
    ERROR,
    "The push sends the Speex of its source as it is: there is no encoder that could make Speex of a sound file. It can be muted.",
  ),
  soundCodecChanged: rule(
    "caller",
    false,
    409,
    ERROR,
    "The source went over to another codec while its Speex was passed on as it is.",
  ),
  pushExists: rule(
    "caller",
    false,
    409,
    ERROR,
    "This stream is already pushed to this destination.",
  ),
  ruleExists: rule(
    "caller",
    false,
    409,
    ERROR,
    "There is a push rule for this stream name and destination.",
  ),
  ruleNotFound: rule("caller", false, 404, ERROR, "No push rule matches."),
  ruleStoreFailed: rule(
    "ours",
    true,
    503,
    ERROR,
    "The push rules cannot be written: the disk or the cluster's store fails; the log has the details.",
  ),
  streamNameInUse: rule(
    "caller",
    false,
    409,
    "Stream name is already in use",
    "Another session publishes under this name.",
  ),
  sessionIdInUse: rule(
    "caller",
    false,
    409,
    "MediaSessionId is already in use",
    "The client used this media session id before.",
  ),
  sessionIdMissing: rule(
    "caller",
    false,
    400,
    "MediaSessionId is null",
    "The message has no media session id.",
  ),
  callExists: rule("caller", false, 409, ERROR, "A call with this id is going on."),
  callNotFound: rule("caller", false, 404, ERROR, "No call matches."),
  callNotReady: rule("caller", true, 409, ERROR, "The call cannot do this in its present state."),
  callNoPort: rule("ours", true, 503, ERROR, "All ports for SIP calls are in use."),
  sipBusy: rule("caller", false, 409, ERROR, "The callee is busy."),
  sipRefused: rule(
    "caller",
    false,
    502,
    ERROR,
    "The call was refused; the message has the status.",
  ),
  sipAuthFailed: rule("caller", false, 502, ERROR, "The SIP server rejected the credentials."),
  sipNoAnswer: rule("caller", false, 504, ERROR, "The callee did not take the call in time."),
  sipUnreachable: rule(
    "caller",
    false,
    502,
    ERROR,
    "The SIP server cannot be reached, or stopped answering.",
  ),
  sipMedia: rule(
    "caller",
    false,
    502,
    "No common codecs",
    "The callee's session description is malformed or has no media that can be received here.",
  ),
  sipHungUp: rule(
    "caller",
    false,
    410,
    "Stopped by publisher stop",
    "The other side of the call hung up.",
  ),
  badSdp: rule(
    "caller",
    false,
    400,
    "Failed to add stream to proxy",
    "The session description cannot be understood.",
  ),
  noCommonCodecs: rule(
    "caller",
    false,
    406,
    "No common codecs",
    "The offer holds no codec that can be received here.",
  ),
  transcodingDisabled: rule(
    "caller",
    false,
    406,
    "Transcoding required, but disabled",
    "The source's codec cannot be carried by RTMP and transcoding is off.",
  ),
  tooMany: rule(
    "caller",
    true,
    429,
    "No available transcoders",
    "A limit on sessions, streams, pushes or requests is reached.",
  ),
  overloaded: rule("ours", true, 503, "No available transcoders", "No media worker has room."),
  draining: rule(
    "ours",
    true,
    503,
    "Server is draining",
    "The server is being emptied: it takes no further streams, or the stream ran until the deadline.",
  ),
  workerNotFound: rule("caller", false, 404, ERROR, "No media worker has this id."),
  shuttingDown: rule("ours", true, 503, ERROR, "The server is stopping."),
  workerDied: rule("ours", true, 500, ERROR, "The media process that carried the stream ended."),
  ipcTimeout: rule("ours", true, 504, ERROR, "A media process did not answer in time."),
  nodeTimeout: rule(
    "ours",
    true,
    504,
    ERROR,
    "The node of the cluster that carries it did not answer in time.",
  ),
  clusterUnreachable: rule(
    "ours",
    true,
    503,
    ERROR,
    "Another node of the cluster carries it, and the cluster cannot be reached.",
  ),
  claimLost: rule(
    "ours",
    true,
    409,
    "Stream name is already in use",
    "Two nodes carried a stream of this name while they had no contact; the other one keeps it.",
  ),
  streamElsewhere: rule(
    "caller",
    false,
    421,
    "Stream is on another node",
    "Another node of the cluster carries the stream; the message has its address.",
  ),
  codecUnavailable: rule("ours", true, 503, ERROR, "The codec process cannot be started."),
  transcoderOverloaded: rule(
    "ours",
    true,
    503,
    "No available transcoders",
    "The machine cannot carry another video encoder.",
  ),
  transcoderFailed: rule("ours", true, 503, ERROR, "The video codec process of the push ended."),
  peerRefused: rule("ours", true, 500, ERROR, "The WebRTC library refused the connection."),
  internal: rule("ours", false, 500, ERROR, "A defect of this server; the log has the details."),
  publisherStopped: rule(
    "caller",
    false,
    410,
    "Stopped by publisher stop",
    "The publisher stopped its stream.",
  ),
  playerStopped: rule("caller", false, 410, "Stopped by user", "The player stopped playing."),
  sessionClosed: rule(
    "caller",
    false,
    410,
    "Stopped by session disconnect",
    "The publisher's control connection closed.",
  ),
  terminated: rule("caller", false, 410, "Stopped by rest /terminate", "A REST call ended it."),
  stopped: rule("caller", false, 410, "Stopped by user", "It was ended on request."),
  iceTimeout: rule(
    "caller",
    false,
    408,
    "Failed by ICE timeout",
    "No ICE connection came about in time.",
  ),
  iceFailed: rule("caller", false, 410, "Failed by ICE keep alive", "The ICE connection was lost."),
  dtlsFailed: rule(
    "caller",
    false,
    410,
    "Failed by DTLS error",
    "The DTLS handshake failed or did not finish in time.",
  ),
  mediaTimeout: rule(
    "caller",
    false,
    408,
    "Failed by RTP activity",
    "No media arrived for too long.",
  ),
  dnsFailed: rule(
    "destination",
    true,
    502,
    WRITER,
    "The destination's name could not be resolved.",
  ),
  addressForbidden: rule(
    "caller",
    false,
    403,
    WRITER,
    "The destination's address is not allowed here.",
  ),
  connectRefused: rule(
    "destination",
    true,
    502,
    WRITER,
    "The destination refused or cannot be reached by TCP.",
  ),
  connectTimeout: rule("destination", true, 504, WRITER, "The destination did not answer in time."),
  tlsFailed: rule("destination", true, 502, WRITER, "The TLS handshake failed."),
  tlsCertificate: rule(
    "destination",
    false,
    502,
    WRITER,
    "The destination's certificate is not trusted.",
  ),
  rtmpProtocol: rule("destination", true, 502, WRITER, "The destination broke the RTMP protocol."),
  connectRejected: rule(
    "destination",
    false,
    502,
    WRITER,
    "The destination rejected the RTMP connect command.",
  ),
  authRequired: rule(
    "destination",
    false,
    502,
    WRITER,
    "The destination wants credentials and the URL has none.",
  ),
  authFailed: rule("destination", false, 502, WRITER, "The destination rejected the credentials."),
  nameBusy: rule(
    "destination",
    true,
    502,
    WRITER,
    "Another publisher holds the name on the destination (BadName).",
  ),
  publishRejected: rule(
    "destination",
    false,
    502,
    WRITER,
    "The destination rejected the stream name or key.",
  ),
  connectionReset: rule("destination", true, 502, WRITER, "The destination reset the connection."),
  connectionClosed: rule(
    "destination",
    true,
    502,
    WRITER,
    "The destination closed the connection.",
  ),
  writeTimeout: rule("destination", true, 504, WRITER, "The destination stopped taking data."),
  attemptsExhausted: rule(
    "destination",
    false,
    502,
    WRITER,
    "All attempts to restore the push failed.",
  ),
} as const satisfies Record<string, FailureRule>;

export type FailureCode = keyof typeof FAILURES;

/** A failure with a code of the table. */
export type CodedFailure = Failure<FailureCode>;

/** Builds a failure; `message` names the culprit, without secrets. */
export function fail(code: FailureCode, message: string, cause?: unknown): CodedFailure {
  return new Failure(code, message, cause === undefined ? undefined : { cause });
}

const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

/** What was thrown, as a failure of the table; anything else is `internal`, with the error as its cause. */
export function asFailure(error: unknown): CodedFailure {
  if (error instanceof Failure && isFailureCode(error.code)) return error as CodedFailure;
  return fail("internal", "an internal error; the log has the details", error);
}

/** Codes that the channel between the processes itself answers with. */
export const CHANNEL_FAILURES = {
  timeout: "ipcTimeout",
  closed: "workerDied",
  internal: "internal",
} as const satisfies Record<string, FailureCode>;
