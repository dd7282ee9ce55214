/** Values of AMF0 (Action Message Format, file format specification of 2007). */

/** An anonymous or typed object (2.5, 2.18), its properties in the order of the wire. */
export interface Amf0Object {
  readonly kind: "object";
  readonly properties: ReadonlyMap<string, Amf0Value>;
}

/** An associative array (2.10); FLV metadata comes as one. */
export interface Amf0EcmaArray {
  readonly kind: "ecmaArray";
  readonly properties: ReadonlyMap<string, Amf0Value>;
}

/** A point in time (2.13), Unix milliseconds. */
export interface Amf0Date {
  readonly kind: "date";
  readonly unixMs: number;
}

/** Everything AMF0 can say that RTMP uses; XML comes as a string, `unsupported` as undefined. */
export type Amf0Value =
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Amf0Value[]
  | Amf0Object
  | Amf0EcmaArray
  | Amf0Date;

/** An object with the given properties, in the order given. */
export function amf0Object(properties: Readonly<Record<string, Amf0Value>>): Amf0Object {
  return { kind: "object", properties: new Map(Object.entries(properties)) };
}

/** An associative array with the given properties, in the order given. */
export function amf0EcmaArray(properties: Readonly<Record<string, Amf0Value>>): Amf0EcmaArray {
  return { kind: "ecmaArray", properties: new Map(Object.entries(properties)) };
}

/** The properties of an object or associative array; of anything else an empty map. */
export function propertiesOf(value: Amf0Value): ReadonlyMap<string, Amf0Value> {
  const holds = typeof value === "object" && value !== null && "properties" in value;
  return holds ? value.properties : new Map<string, Amf0Value>();
}

/** Type markers (section 2.1). */
export const MARKER = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
} as const;
