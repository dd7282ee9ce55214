/** Java properties files: `key = value`, comments, escapes, continued lines. */

/** One entry and the line on which it starts, counted from 1. */
export interface PropertyLine {
  readonly key: string;
  readonly value: string;
  readonly line: number;
  /** What is wrong with the line's escapes. */
  readonly fault: string | undefined;
}

const SEPARATOR = /^((?:\\.|[^\\:=\s])*)[ \t\f]*[:=]?[ \t\f]*/s;

/** A backslash-u without its four hexadecimal digits; an even number of backslashes before it is text. */
const BROKEN_UNICODE = /(?<!\\)(?:\\\\)*\\u(?![0-9a-fA-F]{4})/;

/** Reads a whole file. A line without a separator is a key with an empty value; nothing throws. */
export function parseProperties(text: string): PropertyLine[] {
  const entries: PropertyLine[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = at + 1;
    let logical = (lines[at] ?? "").trimStart();
    if (logical === "" || logical.startsWith("#") || logical.startsWith("!")) continue;
    while (isContinued(logical) && at + 1 < lines.length) {
      at += 1;
      logical = logical.slice(0, -1) + (lines[at] ?? "").trimStart();
    }
    const match = SEPARATOR.exec(logical);
    const key = unescaped(match?.[1] ?? "");
    const value = unescaped(logical.slice(match?.[0].length ?? 0)).trimEnd();
    const fault = BROKEN_UNICODE.test(logical)
      ? "\\u needs four hexadecimal digits; a backslash itself is written \\\\"
      : undefined;
    entries.push({ key, value, line, fault });
  }
  return entries;
}

/** An odd number of backslashes at the end continues the line. */
function isContinued(line: string): boolean {
  return ((/\\*$/.exec(line)?.[0].length ?? 0) & 1) === 1;
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.?))/gs,
    (_all, hex: string | undefined, char: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const named: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };
      return named[char] ?? char;
    },
  );
}
