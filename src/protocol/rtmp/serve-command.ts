/** What a server answers to commands (RTMP 1.0, section 7.2; Enhanced RTMP v2). */
import { type Amf0Value, amf0Object, propertiesOf } from "../amf0/value.ts";
import type { StatusInfo } from "./command.ts";
import type { CommandMessage } from "./message.ts";

/** Codecs that are taken and passed on as they are. */
const SERVED_VIDEO = ["avc1", "hvc1", "av01", "vp09", "vp08"] as const;
const SERVED_AUDIO = ["mp4a", "Opus"] as const;
const CAN_FORWARD = 4;
const CONTROL_STREAM = 0;

/** A name with its query, as `publish` and `play` have it, and what `connect` said before. */
export interface Address {
  /** Application, without its query. */
  readonly app: string;
  /** Without its query. */
  readonly name: string;
  /** Parameters of the name, then those of the application; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_PARAMETERS = 32;

/** Splits `name?query` and the query of the application. */
export function addressOf(app: string, name: string): Address {
  const [appPath = "", appQuery = ""] = splitQuery(app);
  const [path = "", query = ""] = splitQuery(name);
  const parameters = new Map<string, string>();
  for (const pair of [...query.split("&"), ...appQuery.split("&")].slice(0, MAX_PARAMETERS)) {
    const at = pair.indexOf("=");
    const key = at < 0 ? pair : pair.slice(0, at);
    if (key !== "" && !parameters.has(key)) parameters.set(key, at < 0 ? "" : decoded(pair, at));
  }
  return { app: appPath.replace(/^\/+|\/+$/g, ""), name: path, parameters };
}

function splitQuery(text: string): string[] {
  const at = text.indexOf("?");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(pair: string, at: number): string {
  const value = pair.slice(at + 1);
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

const infoMap = (names: readonly string[]): Amf0Value =>
  amf0Object(Object.fromEntries(names.map((name) => [name, CAN_FORWARD])));

const reply = (name: string, transaction: number, ...values: Amf0Value[]): CommandMessage => ({
  kind: "command",
  name,
  transaction,
  values,
});

/** True when the client's `connect` knows Enhanced RTMP. */
export function speaksEnhanced({ values }: CommandMessage): boolean {
  const [object] = values.map(propertiesOf);
  const keys = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];
  return keys.some((key) => object?.has(key) === true);
}

/** The answer to `connect`; the keys of Enhanced RTMP only for a client that has sent some. */
export function connectResult({ transaction }: CommandMessage, enhanced: boolean): CommandMessage {
  const capabilities = {
    fourCcList: [...SERVED_VIDEO, ...SERVED_AUDIO],
    videoFourCcInfoMap: infoMap(SERVED_VIDEO),
    audioFourCcInfoMap: infoMap(SERVED_AUDIO),
    capsEx: 0,
  };
  return reply(
    "_result",
    transaction,
    amf0Object({ fmsVer: "FMS/3,0,1,123", capabilities: 31, mode: 1 }),
    amf0Object({
      level: "status",
      code: "NetConnection.Connect.Success",
      description: "Connection succeeded.",
      objectEncoding: 0,
      ...(enhanced ? capabilities : {}),
    }),
  );
}

export const result = (transaction: number, ...values: Amf0Value[]): CommandMessage =>
  reply("_result", transaction, null, ...values);

/** A refusal of `connect` or `createStream`. */
export const errorReply = (transaction: number, status: StatusInfo): CommandMessage =>
  reply("_error", transaction, null, statusObject(status));

export const onStatus = (status: StatusInfo): CommandMessage =>
  reply("onStatus", CONTROL_STREAM, null, statusObject(status));

/** Some encoders wait for it after `FCPublish`. */
export const onFcPublish = (name: string): CommandMessage =>
  reply(
    "onFCPublish",
    CONTROL_STREAM,
    null,
    amf0Object({ code: "NetStream.Publish.Start", description: name }),
  );

const statusObject = ({ level, code, description }: StatusInfo): Amf0Value =>
  amf0Object({ level, code, description });
