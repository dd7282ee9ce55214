import assert from "node:assert/strict";
import { test } from "node:test";
import { always, anyText } from "../../../test/support/properties.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object, propertiesOf } from "../amf0/value.ts";
import {
  capabilitiesOf,
  connectCommand,
  createStreamCommand,
  deleteStreamCommand,
  publishCommand,
  statusOf,
  streamNameCommand,
} from "./command.ts";
import type { CommandMessage } from "./message.ts";

const reply = (...values: Amf0Value[]): CommandMessage => ({
  kind: "command",
  name: "_result",
  transaction: 1,
  values,
});

test("connect says app, tcUrl and flashVer as given, whatever they hold, before newer keys", () => {
  always(anyText(), (text) => {
    const fields = { app: text, tcUrl: `rtmp://host/${text}`, flashVersion: `${text}/1` };
    const { name, transaction, values } = connectCommand(1, fields);
    assert.deepEqual([name, transaction, values.length], ["connect", 1, 1]);
    const properties = propertiesOf(values[0]);
    assert.deepEqual([...properties.keys()].slice(0, 4), ["app", "type", "flashVer", "tcUrl"]);
    assert.equal(properties.get("app"), fields.app);
    assert.equal(properties.get("tcUrl"), fields.tcUrl);
    assert.equal(properties.get("flashVer"), fields.flashVersion);
  });
});

test("connect lists the codecs that may be forwarded (Enhanced RTMP v2, connect command)", () => {
  const [object] = connectCommand(1, { app: "a", tcUrl: "t", flashVersion: "f" }).values;
  const properties = propertiesOf(object);
  const list = properties.get("fourCcList");
  assert.ok(Array.isArray(list) && list.includes("avc1") && list.includes("mp4a"));
  assert.equal(propertiesOf(properties.get("videoFourCcInfoMap")).get("avc1"), 4);
  assert.equal(propertiesOf(properties.get("audioFourCcInfoMap")).get("mp4a"), 4);
});

test("the other commands carry a null object first (RTMP 1.0, 7.2)", () => {
  assert.deepEqual(createStreamCommand(4).values, [null]);
  assert.deepEqual(publishCommand(5, "key").values, [null, "key", "live"]);
  assert.deepEqual(deleteStreamCommand(3), {
    kind: "command",
    name: "deleteStream",
    transaction: 0,
    values: [null, 3],
  });
  assert.deepEqual(streamNameCommand("releaseStream", 2, "key"), {
    kind: "command",
    name: "releaseStream",
    transaction: 2,
    values: [null, "key"],
  });
});

test("the status is the last object with a code, else the last object; missing texts are empty", () => {
  const info = amf0Object({ level: "error", code: "A.B", description: "why" });
  const status = { level: "error", code: "A.B", description: "why" };
  assert.deepEqual(statusOf(reply(amf0Object({ fmsVer: "x" }), info)), status);
  assert.deepEqual(statusOf(reply(info, amf0Object({ other: 1 }))), status);
  assert.deepEqual(statusOf(reply(null, amf0Object({ description: "why" }))), {
    level: "",
    code: "",
    description: "why",
  });
  const nothing = { level: "", code: "", description: "" };
  assert.deepEqual(statusOf(reply()), nothing);
  assert.deepEqual(statusOf(reply(null, "text", 3)), nothing);
  assert.deepEqual(statusOf(reply(amf0Object({ code: 403, level: null }))), nothing);
});

test("capabilities are found in either object of the reply, as list, as map, or not at all", () => {
  const map = amf0Object({ "*": 4, hvc1: 4 });
  assert.deepEqual(capabilitiesOf(reply(amf0Object({ videoFourCcInfoMap: map }), null)), {
    videoFourCc: ["*", "hvc1"],
    audioFourCc: [],
  });
  const list = amf0EcmaArray({ fourCcList: ["av01", 7, "av01"] });
  assert.deepEqual(capabilitiesOf(reply(null, list)), {
    videoFourCc: ["av01"],
    audioFourCc: ["av01"],
  });
  assert.deepEqual(capabilitiesOf(reply(amf0Object({ fourCcList: "*" }))), {
    videoFourCc: [],
    audioFourCc: [],
  });
});

test("a codec of a map counts where the server can decode or forward it (Enhanced RTMP v2, FourCcInfoMask)", () => {
  const map = { none: 0, dec: 1, enc: 2, de: 3, fwd: 4, all: 7, more: 12, far: 2 ** 40, nan: NaN };
  const wrong = { text: "4", yes: true, no: null, list: [4], deep: amf0Object({ a: 4 }) };
  const object = amf0Object({ audioFourCcInfoMap: amf0Object({ ...map, ...wrong }) });
  assert.deepEqual(capabilitiesOf(reply(null, object)).audioFourCc, [
    ...["dec", "de", "fwd", "all", "more"],
  ]);
});

/** What a hostile or careless server may answer where a list and a map belong. */
const SHAPES: readonly Amf0Value[] = [
  ...[null, undefined, 4, true, "Opus", "*"],
  ...[["Opus"], [["Opus"]], [amf0Object({ Opus: 4 })], Array.from({ length: 9000 }, () => "Opus")],
  ...[amf0Object({ Opus: 4 }), amf0EcmaArray({ "0": "Opus" }), amf0Object({ Opus: "4" })],
];

test("whatever stands where the list and the map belong, only a list of names and a map of flags are read", () => {
  const said = SHAPES.flatMap((shape) => {
    const lists = capabilitiesOf(reply(amf0Object({ fourCcList: shape }))).audioFourCc;
    const maps = capabilitiesOf(reply(amf0Object({ audioFourCcInfoMap: shape }))).audioFourCc;
    return [...lists, "|", ...maps, "/"];
  });
  const [nothing, listed, mapped] = ["|/", "Opus|/", "|Opus/"];
  const expected =
    nothing.repeat(6) + listed + nothing.repeat(2) + listed + mapped + nothing.repeat(2);
  assert.equal(said.join(""), expected);
});

test("a server cannot make us keep more than 64 codecs", () => {
  const list = Array.from({ length: 5000 }, (_, i) => `c${i}`);
  assert.equal(capabilitiesOf(reply(amf0Object({ fourCcList: list }))).videoFourCc.length, 64);
});
