/** Values to AMF0 bytes (Action Message Format, AMF0 specification, section 2). */
import { invariant } from "../../base/assert.ts";
import { ByteWriter } from "../../base/bytes.ts";
import { type Amf0Value, MARKER } from "./value.ts";

const text = new TextEncoder();

/** The values one after the other. */
export function encodeAmf0(values: readonly Amf0Value[]): Uint8Array {
  const writer = new ByteWriter(256);
  for (const value of values) writeValue(writer, value);
  return writer.take();
}

function writeValue(writer: ByteWriter, value: Amf0Value): void {
  switch (typeof value) {
    case "number":
      writer.u8(MARKER.number).f64(value);
      return;
    case "boolean":
      writer.u8(MARKER.boolean).u8(value ? 1 : 0);
      return;
    case "string":
      writeString(writer, value);
      return;
    case "undefined":
      writer.u8(MARKER.undefined);
      return;
    default:
      if (value === null) writer.u8(MARKER.null);
      else writeContainer(writer, value);
  }
}

function writeContainer(writer: ByteWriter, value: Extract<Amf0Value, object>): void {
  if (!("kind" in value)) {
    writer.u8(MARKER.strictArray).u32(value.length);
    for (const item of value) writeValue(writer, item);
    return;
  }
  switch (value.kind) {
    case "date":
      writer.u8(MARKER.date).f64(value.unixMs).u16(0);
      return;
    case "object":
      writer.u8(MARKER.object);
      break;
    case "ecmaArray":
      writer.u8(MARKER.ecmaArray).u32(value.properties.size);
      break;
  }
  writeProperties(writer, value.properties);
}

function writeProperties(writer: ByteWriter, properties: ReadonlyMap<string, Amf0Value>): void {
  for (const [name, value] of properties) {
    const bytes = text.encode(name);
    invariant(bytes.length <= 0xffff, "an AMF0 property name is too long");
    writer.u16(bytes.length).bytes(bytes);
    writeValue(writer, value);
  }
  writer.u16(0).u8(MARKER.objectEnd);
}

function writeString(writer: ByteWriter, value: string): void {
  const bytes = text.encode(value);
  if (bytes.length <= 0xffff) writer.u8(MARKER.string).u16(bytes.length);
  else writer.u8(MARKER.longString).u32(bytes.length);
  writer.bytes(bytes);
}
