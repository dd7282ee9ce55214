import { open, readFile, rename, stat } from "node:fs/promises";
import { fail } from "../../contract/failures.ts";
import type { Logger } from "../../observe/logger.ts";
import { BadRule, type PushRule, readRule } from "./rule.ts";
import type { RuleStore } from "./rule-store.ts";

export interface FileRuleStoreOptions {
  readonly path: string;
  readonly maxRules: number;
}

/** Longest rule as text, with room for the escapes of its letters. */
const RULE_BYTES = 16_384;
/** The rules hold stream keys and passwords. */
const OWNER_ONLY = 0o600;

/**
 * Push rules of a single node, in one JSON file that is written anew with every change: beside its place
 * first, so that a crash leaves the old one or the new one.
 */
export class FileRuleStore implements RuleStore {
  readonly #options: FileRuleStoreOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #rules: ReadonlyMap<string, PushRule>;
  /** The newest change; each waits for the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Reads the file, if there is one. Rejects with an error that names the file and what is wrong in it. */
  static async open(options: FileRuleStoreOptions, logger: Logger): Promise<FileRuleStore> {
    return new FileRuleStore(options, logger, await readRules(options));
  }

  private constructor(options: FileRuleStoreOptions, logger: Logger, rules: readonly PushRule[]) {
    this.#options = options;
    this.#logger = logger;
    this.#rules = new Map(rules.map((rule) => [rule.ruleId, rule]));
  }

  list(): readonly PushRule[] {
    return [...this.#rules.values()];
  }

  put(rule: PushRule): Promise<void> {
    return this.#inTurn(async () => {
      const { maxRules } = this.#options;
      if (!this.#rules.has(rule.ruleId) && this.#rules.size >= maxRules) {
        throw fail("tooMany", `the limit of ${maxRules} push rules is reached`);
      }
      await this.#replace(new Map([...this.#rules, [rule.ruleId, rule]]));
    });
  }

  remove(ruleId: string): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#rules.has(ruleId)) return false;
      await this.#replace(new Map([...this.#rules].filter(([id]) => id !== ruleId)));
      return true;
    });
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#turn;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #replace(rules: ReadonlyMap<string, PushRule>): Promise<void> {
    const { path } = this.#options;
    try {
      await write(path, [...rules.values()]);
    } catch (error) {
      this.#logger.error({ path, error }, "push rules not written");
      throw fail("ruleStoreFailed", "the file of push rules cannot be written", error);
    }
    this.#rules = rules;
    for (const listener of this.#listeners) listener();
  }
}

async function write(path: string, rules: readonly PushRule[]): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, "w", OWNER_ONLY);
  try {
    // One that a crash left behind keeps the mode it had.
    await file.chmod(OWNER_ONLY);
    await file.writeFile(`${JSON.stringify({ rules }, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

async function readRules({ path, maxRules }: FileRuleStoreOptions): Promise<PushRule[]> {
  try {
    const { size } = await stat(path);
    if (size > maxRules * RULE_BYTES) throw new Error("is too long");
    return parse(await readFile(path, "utf8"), maxRules);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Throws an error that says where the text is wrong and shows none of it: it holds secrets. */
function parse(text: string, maxRules: number): PushRule[] {
  const entries = rulesOf(text);
  if (entries.length > maxRules) {
    throw new Error(`rules: ${entries.length} are more than the limit of ${maxRules}`);
  }
  const known = new Set<string>();
  return entries.map((entry, at) => {
    const rule = readEntry(entry, `rules[${at}]`);
    if (known.has(rule.ruleId)) throw new Error(`rules[${at}].ruleId: is used twice`);
    known.add(rule.ruleId);
    return rule;
  });
}

function rulesOf(text: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("is not JSON");
  }
  const rules = (value as { readonly rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) throw new Error("rules: a list is expected");
  return rules;
}

function readEntry(entry: unknown, place: string): PushRule {
  try {
    return readRule(entry);
  } catch (error) {
    if (!(error instanceof BadRule)) throw error;
    throw new Error(`${place}${error.field && `.${error.field}`}: ${error.message}`);
  }
}
