/** Kinds of settings: what a value may be, its default, and the words that describe it. */
import { isIP } from "node:net";
import { z } from "zod";
import { Secret } from "../base/secret.ts";

/** Words for the reference page that a schema cannot tell. */
interface Words {
  readonly text: string;
  /** What is allowed, for messages and the reference. */
  readonly allowed: string;
}

const words = new Map<z.ZodType, Words>();

function described<S extends z.ZodType>(schema: S, text: string, allowed: string): S {
  words.set(schema, { text, allowed });
  return schema;
}

/** Description of a setting's schema. */
export const wordsOf = (schema: z.ZodType): Words => words.get(schema) ?? { text: "", allowed: "" };

export const integer = (fallback: number, lowest: number, highest: number, text: string) =>
  described(
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number)
      .pipe(z.number().min(lowest).max(highest))
      .default(fallback),
    text,
    `an integer from ${lowest} to ${highest}`,
  );

export const number = (fallback: number, lowest: number, highest: number, text: string) =>
  described(
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,6})?$/)
      .transform(Number)
      .pipe(z.number().min(lowest).max(highest))
      .default(fallback),
    text,
    `a number from ${lowest} to ${highest}`,
  );

export const bool = (fallback: boolean, text: string) =>
  described(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(["true", "false"]))
      .transform((value) => value === "true")
      .default(fallback),
    text,
    "true or false",
  );

export const line = (fallback: string, text: string) =>
  described(z.string().max(4096).default(fallback), text, "text");

/** Text that goes into an HTTP header. */
export const header = (fallback: string, text: string) =>
  described(
    z
      .string()
      .max(4096)
      .regex(/^[\x20-\x7e]*$/)
      .default(fallback),
    text,
    "printable ASCII",
  );

/** Text of one form. */
export const pattern = (fallback: string, form: RegExp, text: string, allowed: string) =>
  described(z.string().regex(form).default(fallback), text, allowed);

export const optional = (
  text: string,
  allowed = "text, or empty",
  isValue: (value: string) => boolean = () => true,
) =>
  described(
    z
      .string()
      .max(4096)
      .refine((value) => value === "" || isValue(value))
      .transform((value) => (value === "" ? undefined : value))
      .optional(),
    text,
    allowed,
  );

/** Texts between commas, each of which `isEntry` takes. */
export const list = (
  text: string,
  allowed = "texts between commas, or empty",
  isEntry: (entry: string) => boolean = () => true,
) =>
  described(
    z
      .string()
      .max(65_536)
      .transform((value) =>
        value
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== ""),
      )
      .refine((parts) => parts.every(isEntry))
      .default([]),
    text,
    allowed,
  );

export const address = (text: string) =>
  described(
    z
      .string()
      .refine((value) => value === "" || isIP(value) !== 0)
      .transform((value) => (value === "" ? undefined : value))
      .optional(),
    text,
    "an IPv4 or IPv6 address, or empty",
  );

export const choice = <const V extends readonly [string, ...string[]]>(
  values: V,
  fallback: V[number],
  text: string,
) => described(z.enum(values).default(fallback as never), text, values.join(", "));

/** Any of `values`, between commas. */
export const choices = <const V extends readonly string[]>(values: V, text: string) =>
  described(
    z
      .string()
      .max(4096)
      .transform((value) => value.split(",").map((part) => part.trim().toLowerCase()))
      .transform((parts) => parts.filter((part) => part !== ""))
      .refine((parts): parts is V[number][] => parts.every((part) => values.includes(part)))
      .default([]),
    text,
    `${values.join(", ")} between commas, or empty`,
  );

const secrets = new Set<z.ZodType>();

/** Whether a value of this setting must not be printed. */
export const isSecret = (schema: z.ZodType): boolean => secrets.has(schema);

function secret<S extends z.ZodType>(schema: S): S {
  secrets.add(schema);
  return schema;
}

/** A setting whose wrong values are not printed: what is wrong may be a password. */
export const unprinted = secret;

/** A URL that may hold a password or a key; prints as `[redacted]`. */
export const secretUrl = (text: string) =>
  secret(
    described(
      z
        .string()
        .max(4096)
        .refine((value) => value === "" || /^rtmps?:\/\/[^/]/i.test(value))
        .transform((value) => (value === "" ? undefined : new Secret(value)))
        .optional(),
      text,
      "an rtmp:// or rtmps:// URL, or empty",
    ),
  );

const isWebUrl = (value: string): boolean =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

/** A web address that may hold a password or a token; prints as `[redacted]`. */
export const secretWebUrl = (text: string) =>
  secret(
    described(
      z
        .string()
        .max(4096)
        .refine((value) => value === "" || isWebUrl(value))
        .transform((value) => (value === "" ? undefined : new Secret(value)))
        .optional(),
      text,
      "an http:// or https:// URL, or empty",
    ),
  );

/** A password or token; prints as `[redacted]`. */
export const secretText = (text: string, fewest = 1) =>
  secret(
    described(
      z
        .string()
        .max(4096)
        .refine((value) => value === "" || value.length >= fewest)
        .transform((value) => (value === "" ? undefined : new Secret(value)))
        .optional(),
      text,
      `text of ${fewest} characters or more, or empty`,
    ),
  );

export const port = (fallback: number, text: string) => integer(fallback, 1, 65_535, text);
export const optionalPort = (fallback: number, text: string) =>
  integer(fallback, 0, 65_535, `${text} 0 turns it off.`);
export const ms = (fallback: number, lowest: number, highest: number, text: string) =>
  integer(fallback, lowest, highest, `${text} Milliseconds.`);

/** Settings under one heading of the reference. */
export interface SettingGroup {
  readonly heading: string;
  readonly shape: Readonly<Record<string, z.ZodType>>;
}
