/** AMF0 bytes to values (Action Message Format, AMF0 specification, section 2). */
import { ByteReader } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Amf0Value, MARKER } from "./value.ts";

const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;

/** Keeps a leading byte order mark: names are compared as they came. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * All values of `bytes`, which must hold whole values only.
 * @throws ProtocolError `amf0.*` or `bytes.short`
 */
export function decodeAmf0(bytes: Uint8Array): Amf0Value[] {
  const decoder = new Decoder(bytes);
  const values: Amf0Value[] = [];
  while (decoder.remaining > 0) values.push(decoder.value(0));
  return values;
}

class Decoder {
  readonly #reader: ByteReader;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes);
  }

  get remaining(): number {
    return this.#reader.remaining;
  }

  value(depth: number): Amf0Value {
    return this.#marked(this.#reader.u8(), depth);
  }

  /** A value whose type marker was read already. */
  #marked(marker: number, depth: number): Amf0Value {
    this.#values += 1;
    if (depth > MAX_DEPTH) throw new ProtocolError("amf0.depth", "values are nested too deeply");
    if (this.#values > MAX_VALUES) throw new ProtocolError("amf0.count", "too many values");
    return this.#scalarOrContainer(marker, depth);
  }

  #scalarOrContainer(marker: number, depth: number): Amf0Value {
    const reader = this.#reader;
    switch (marker) {
      case MARKER.number:
        return reader.f64();
      case MARKER.boolean:
        return reader.u8() !== 0;
      case MARKER.string:
        return this.#string(reader.u16());
      case MARKER.longString:
      case MARKER.xml:
        return this.#string(reader.u32());
      case MARKER.null:
        return null;
      case MARKER.undefined:
      case MARKER.unsupported:
        return undefined;
      case MARKER.date:
        return this.#date();
      default:
        return this.#container(marker, depth);
    }
  }

  #container(marker: number, depth: number): Amf0Value {
    const reader = this.#reader;
    switch (marker) {
      case MARKER.object:
        return { kind: "object", properties: this.#properties(depth) };
      case MARKER.typedObject:
        reader.skip(reader.u16());
        return { kind: "object", properties: this.#properties(depth) };
      case MARKER.ecmaArray:
        // The count is a hint that many writers leave at zero; only the end marker counts.
        reader.skip(4);
        return { kind: "ecmaArray", properties: this.#properties(depth) };
      case MARKER.strictArray:
        return this.#array(reader.u32(), depth);
      default:
        throw new ProtocolError("amf0.marker", `unknown type marker ${marker}`);
    }
  }

  #string(length: number): string {
    return text.decode(this.#reader.bytes(length));
  }

  #date(): Amf0Value {
    const unixMs = this.#reader.f64();
    this.#reader.skip(2);
    return { kind: "date", unixMs };
  }

  #properties(depth: number): Map<string, Amf0Value> {
    const properties = new Map<string, Amf0Value>();
    for (;;) {
      const name = this.#string(this.#reader.u16());
      const marker = this.#reader.u8();
      if (name === "" && marker === MARKER.objectEnd) return properties;
      properties.set(name, this.#marked(marker, depth + 1));
    }
  }

  #array(count: number, depth: number): Amf0Value[] {
    const values: Amf0Value[] = [];
    for (let i = 0; i < count; i += 1) values.push(this.value(depth + 1));
    return values;
  }
}
