/** AMF0 written a second time for the tests, so that a mistake of the product's own codec shows. */

export type Amf =
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Amf[]
  | { readonly [key: string]: Amf };

/** All values of a message. Throws when a byte of it is not AMF0. */
export function readAmf(bytes: Buffer): Amf[] {
  const reader = new Reader(bytes);
  const values: Amf[] = [];
  while (!reader.done) values.push(reader.value());
  return values;
}

export function writeAmf(values: readonly Amf[]): Buffer {
  return Buffer.concat(values.map(write));
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(): Amf {
    const marker = this.#number("readUInt8", 1);
    switch (marker) {
      case 0:
        return this.#number("readDoubleBE", 8);
      case 1:
        return this.#number("readUInt8", 1) !== 0;
      case 2:
        return this.#text(this.#number("readUInt16BE", 2));
      case 3:
        return this.#properties();
      case 5:
        return null;
      case 6:
        return undefined;
      case 8:
        this.#number("readUInt32BE", 4);
        return this.#properties();
      case 10:
        return Array.from({ length: this.#number("readUInt32BE", 4) }, () => this.value());
      case 12:
        return this.#text(this.#number("readUInt32BE", 4));
      default:
        throw new Error(`AMF0 marker ${marker}`);
    }
  }

  #number(read: "readUInt8" | "readUInt16BE" | "readUInt32BE" | "readDoubleBE", size: number) {
    const value = this.#bytes[read](this.#at);
    this.#at += size;
    return value;
  }

  #text(length: number): string {
    if (this.#at + length > this.#bytes.length) throw new Error("AMF0 text is cut off");
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  #properties(): Record<string, Amf> {
    const found: Record<string, Amf> = {};
    for (;;) {
      const key = this.#text(this.#number("readUInt16BE", 2));
      if (key === "" && this.#bytes[this.#at] === 9) {
        this.#at += 1;
        return found;
      }
      found[key] = this.value();
    }
  }
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

function write(value: Amf): Buffer {
  if (typeof value === "number") {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === "boolean") return Buffer.of(1, value ? 1 : 0);
  if (typeof value === "string") return Buffer.concat([Buffer.of(2), text(value)]);
  if (value === null || value === undefined) return Buffer.of(5);
  if (Array.isArray(value)) {
    const count = Buffer.alloc(5, 10);
    count.writeUInt32BE(value.length, 1);
    return Buffer.concat([count, ...value.map(write)]);
  }
  const pairs = Object.entries(value).flatMap(([key, item]) => [text(key), write(item)]);
  return Buffer.concat([Buffer.of(3), ...pairs, Buffer.of(0, 0, 9)]);
}
