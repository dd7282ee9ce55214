/** The commands of a publisher and what servers answer (RTMP 1.0, section 7.2; Enhanced RTMP v2). */
import { type Amf0Value, amf0Object, propertiesOf } from "../amf0/value.ts";
import type { CommandMessage } from "./message.ts";

/** What the server's answer to `connect` says it can take (Enhanced RTMP v2). */
export interface ServerCapabilities {
  readonly videoFourCc: readonly string[];
  readonly audioFourCc: readonly string[];
}

/** The `info` object of `onStatus` and of replies to `connect` (7.2.2, table). */
export interface StatusInfo {
  readonly level: string;
  readonly code: string;
  readonly description: string;
}

/** Codecs a push may carry if the server can take them. */
const VIDEO_FOUR_CC = ["avc1", "hvc1", "av01", "vp09"] as const;
const AUDIO_FOUR_CC = ["mp4a", "Opus"] as const;
/** FourCcInfoMask. */
const CAN_DECODE = 1;
const CAN_FORWARD = 4;
const LISTED = 64;

const infoMap = (names: readonly string[]): Amf0Value =>
  amf0Object(Object.fromEntries(names.map((name) => [name, CAN_FORWARD])));

const command = (name: string, transaction: number, values: Amf0Value[]): CommandMessage => ({
  kind: "command",
  name,
  transaction,
  values,
});

/** `connect` of a publisher. The keys of Enhanced RTMP come last; older servers skip them. */
export function connectCommand(
  transaction: number,
  fields: { readonly app: string; readonly tcUrl: string; readonly flashVersion: string },
): CommandMessage {
  const object = amf0Object({
    app: fields.app,
    type: "nonprivate",
    flashVer: fields.flashVersion,
    tcUrl: fields.tcUrl,
    fourCcList: [...VIDEO_FOUR_CC, ...AUDIO_FOUR_CC],
    videoFourCcInfoMap: infoMap(VIDEO_FOUR_CC),
    audioFourCcInfoMap: infoMap(AUDIO_FOUR_CC),
    capsEx: 0,
  });
  return command("connect", transaction, [object]);
}

/** `releaseStream`, `FCPublish`, `FCUnpublish`: in no specification, expected by many servers. */
export function streamNameCommand(
  name: "releaseStream" | "FCPublish" | "FCUnpublish",
  transaction: number,
  streamName: string,
): CommandMessage {
  return command(name, transaction, [null, streamName]);
}

/** `createStream` (7.2.1.3). */
export function createStreamCommand(transaction: number): CommandMessage {
  return command("createStream", transaction, [null]);
}

/** `publish` of live media (7.2.2.6). */
export function publishCommand(transaction: number, streamName: string): CommandMessage {
  return command("publish", transaction, [null, streamName, "live"]);
}

/** `deleteStream` (7.2.2.3); it has no reply. */
export function deleteStreamCommand(streamId: number): CommandMessage {
  return command("deleteStream", 0, [null, streamId]);
}

/** The last object of a reply that has a `code`; empty strings for what is missing. */
export function statusOf(message: CommandMessage): StatusInfo {
  const infos = message.values.map(propertiesOf);
  const info = infos.findLast((properties) => properties.has("code")) ?? infos.at(-1);
  const field = (name: string) => textOf(info?.get(name));
  return { level: field("level"), code: field("code"), description: field("description") };
}

/**
 * Codecs that the reply to `connect` says the server takes, in whichever of its objects it put them. What it
 * can only encode it does not take.
 */
export function capabilitiesOf(message: CommandMessage): ServerCapabilities {
  const objects = message.values.map(propertiesOf);
  const find = (key: string) => objects.find((object) => object.has(key))?.get(key);
  const list = find("fourCcList");
  const listed = Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
  const named = (key: string) =>
    [...propertiesOf(find(key))].filter(([, flags]) => takes(flags)).map(([name]) => name);
  return {
    videoFourCc: unique([...listed, ...named("videoFourCcInfoMap")]),
    audioFourCc: unique([...listed, ...named("audioFourCcInfoMap")]),
  };
}

const takes = (flags: Amf0Value): boolean =>
  typeof flags === "number" && (flags & (CAN_DECODE | CAN_FORWARD)) !== 0;

const unique = (names: readonly string[]): string[] => [...new Set(names)].slice(0, LISTED);

const textOf = (value: Amf0Value): string => (typeof value === "string" ? value : "");
