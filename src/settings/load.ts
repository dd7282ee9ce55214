import { Secret } from "../base/secret.ts";
import { isSecret, wordsOf } from "./field.ts";
import { parseProperties } from "./properties.ts";
import { INERT_WCS_KEYS, type SettingKey, type Settings, settingsSchema } from "./schema.ts";

/** Where a value was written, for messages: a file with its line, the environment, a flag. */
interface Written {
  readonly value: string;
  readonly where: string;
}

export interface SettingsSources {
  /** Path and text of the properties file. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Pairs given as flags, in order. */
  readonly flags: readonly (readonly [string, string])[];
}

/** Either settings, or every error at once; warnings in both cases. */
export interface LoadedSettings {
  readonly settings: Settings | undefined;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const MAX_FILE_CHARACTERS = 1 << 18;
const ENVIRONMENT_PREFIX = "TRANSPONDER_";
const KEYS = Object.keys(settingsSchema.shape) as SettingKey[];

/** Name of the environment variable of a key: `ws.port` is `TRANSPONDER_WS_PORT`. */
export const environmentName = (key: string): string =>
  ENVIRONMENT_PREFIX + key.toUpperCase().replaceAll(".", "_");

/** Later sources win: file, environment, flags. */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const warnings: string[] = [];
  const errors: string[] = [];
  const written = new Map([
    ...fromFile(sources.file, warnings, errors),
    ...fromEnvironment(sources.environment),
    ...fromFlags(sources.flags, errors),
  ]);
  const values = Object.fromEntries([...written].map(([key, { value }]) => [key, value]));
  const parsed = settingsSchema.safeParse(values);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
    for (const key of wrong) errors.push(describe(key as SettingKey, written.get(key)));
    return { settings: undefined, errors, warnings };
  }
  errors.push(...contradictions(parsed.data, written));
  const settings = errors.length === 0 ? Object.freeze(parsed.data) : undefined;
  return { settings, errors, warnings };
}

type Entries = (readonly [string, Written])[];

function fromFile(file: SettingsSources["file"], warnings: string[], errors: string[]): Entries {
  if (file === undefined) return [];
  if (file.text.length > MAX_FILE_CHARACTERS) {
    errors.push(`${file.path}: longer than ${MAX_FILE_CHARACTERS} characters`);
    return [];
  }
  const entries: Entries = [];
  for (const { key, value, line, fault } of parseProperties(file.text)) {
    const where = `${file.path}:${line}`;
    if (fault !== undefined) errors.push(`${where}: ${key}: ${fault}`);
    else if (isKnown(key)) entries.push([key, { value, where }]);
    else if (!INERT_WCS_KEYS.has(key)) warnings.push(`${where}: ${key}: unknown key${hint(key)}`);
    else warnings.push(`${where}: ${key}: known to WCS, without effect here`);
  }
  return entries;
}

function fromEnvironment(environment: SettingsSources["environment"]): Entries {
  return KEYS.flatMap((key): Entries => {
    const name = environmentName(key);
    const value = environment[name];
    return value === undefined ? [] : [[key, { value, where: `environment ${name}` }]];
  });
}

function fromFlags(flags: SettingsSources["flags"], errors: string[]): Entries {
  const entries: Entries = [];
  for (const [key, value] of flags) {
    if (isKnown(key)) entries.push([key, { value, where: `flag --${key}` }]);
    else errors.push(`flag --${key}: unknown key${hint(key)}`);
  }
  return entries;
}

/** `key = value` lines of the effective settings, secrets redacted. */
export function printSettings(settings: Settings): string {
  const lines = KEYS.map((key) => `${key} = ${print(settings[key])}`);
  return `${lines.join("\n")}\n`;
}

const print = (value: unknown): string => (value === undefined ? "" : String(value));

const isKnown = (key: string): key is SettingKey => KEYS.some((known) => known === key);

function describe(key: SettingKey, written: Written | undefined): string {
  const schema = settingsSchema.shape[key];
  const { allowed } = wordsOf(schema);
  const value = isSecret(schema) ? new Secret("").toString() : JSON.stringify(written?.value);
  return `${written?.where}: ${key}: ${value} is not allowed; allowed is ${allowed}`;
}

/** Values that are fine alone and wrong together. */
function contradictions(settings: Settings, written: ReadonlyMap<string, Written>): string[] {
  const errors: string[] = [];
  const say = (key: SettingKey, text: string): void => {
    errors.push(`${written.get(key)?.where ?? "default"}: ${key}: ${text}`);
  };
  const ports = settings.media_port_to - settings.media_port_from + 1;
  if (ports < settings.workers) {
    say("media_port_to", `${settings.workers} workers need as many ports from media_port_from on`);
  }
  for (const kind of ["sip_port", "sip_media_port"] as const) {
    if (settings[`${kind}_to`] < settings[`${kind}_from`]) {
      say(`${kind}_to`, `must not be lower than ${kind}_from`);
    }
  }
  if ((settings.tls_certificate_file === undefined) !== (settings.tls_key_file === undefined)) {
    say("tls_certificate_file", "must be given together with tls_key_file");
  }
  if (settings.rtmp_push_auto_start && settings.rtmp_push_auto_start_url === undefined) {
    say("rtmp_push_auto_start", "needs rtmp_push_auto_start_url");
  }
  accessContradictions(settings, say);
  clusterContradictions(settings, say);
  return errors;
}

/** A lock that is set up and not closed, or closed without a key, is not what anybody wants. */
function accessContradictions(
  settings: Settings,
  say: (key: SettingKey, text: string) => void,
): void {
  const { rest_auth_user: user, rest_auth_password: password, rest_auth_token: token } = settings;
  if ((user === "") !== (password === undefined)) {
    say("rest_auth_user", "must be given together with rest_auth_password");
  }
  if (user.includes(":")) say("rest_auth_user", "must not hold a colon");
  const keys = user !== "" || token !== undefined;
  if (!settings.disable_rest_auth && !keys) {
    say(
      "disable_rest_auth",
      "false needs rest_auth_user and rest_auth_password, or rest_auth_token",
    );
  }
  if (settings.disable_rest_auth && keys) {
    const key = token === undefined ? "rest_auth_user" : "rest_auth_token";
    say(key, "has no effect unless disable_rest_auth is false");
  }
}

function clusterContradictions(
  settings: Settings,
  say: (key: SettingKey, text: string) => void,
): void {
  const set = (key: SettingKey): boolean => settings[key] !== undefined;
  const both = (key: SettingKey, other: SettingKey): void => {
    if (set(key) !== set(other)) say(key, `must be given together with ${other}`);
  };
  both("cluster.nats_user", "cluster.nats_password");
  both("cluster.nats_certificate_file", "cluster.nats_key_file");
  const ways = (
    [
      "cluster.nats_user",
      "cluster.nats_token",
      "cluster.nats_creds_file",
      "cluster.nats_nkey",
    ] as const
  ).filter(set);
  if (ways[1] !== undefined) say(ways[1], `cannot be given together with ${ways[0]}`);
}

/** The known key that is most like `key`, for a warning. */
function hint(key: string): string {
  const near = KEYS.map((known) => ({ known, distance: editDistance(key, known) }))
    .sort((a, b) => a.distance - b.distance)
    .find(({ distance }) => distance <= Math.max(2, key.length / 4));
  return near === undefined ? "" : `; did you mean ${near.known}?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const swap = (row[j] as number) + (char === b[j] ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
