import { fail } from "../../contract/failures.ts";
import type { Logger } from "../../observe/logger.ts";
import { BadRule, type PushRule, readRule } from "./rule.ts";
import type { RuleStore } from "./rule-store.ts";

/** Keys and values that all nodes of a cluster share. */
export interface SharedTable {
  /** As known last. */
  readonly entries: ReadonlyMap<string, string>;
  watch(listener: () => void): () => void;
  /** Rejects when it cannot be kept now. */
  put(key: string, value: string): Promise<void>;
  /** False when there is none. Rejects when that cannot be done now. */
  remove(key: string): Promise<boolean>;
}

const KEY = "rule.";
const RULE_ID = /^[a-z0-9]{1,64}$/;

/** Push rules that the nodes of a cluster share; each node applies them to its own streams. */
export class SharedRuleStore implements RuleStore {
  readonly #table: SharedTable;
  readonly #maxRules: number;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: () => void;
  /** By value, so that what did not change is not read again. */
  #known = new Map<string, PushRule | undefined>();
  #rules: readonly PushRule[] = [];

  constructor(table: SharedTable, maxRules: number, logger: Logger) {
    this.#table = table;
    this.#maxRules = maxRules;
    this.#logger = logger;
    this.#unwatch = table.watch(() => this.#read());
    this.#read();
  }

  list(): readonly PushRule[] {
    return this.#rules;
  }

  async put(rule: PushRule): Promise<void> {
    const isNew = this.#rules.every(({ ruleId }) => ruleId !== rule.ruleId);
    if (isNew && this.#rules.length >= this.#maxRules) {
      throw fail("tooMany", `the limit of ${this.#maxRules} push rules is reached`);
    }
    await this.#table.put(`${KEY}${rule.ruleId}`, JSON.stringify(rule)).catch(outOfReach);
  }

  async remove(ruleId: string): Promise<boolean> {
    // What is known here may be a moment old: the store is asked.
    if (!RULE_ID.test(ruleId)) return false;
    return this.#table.remove(`${KEY}${ruleId}`).catch(outOfReach);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#unwatch();
  }

  #read(): void {
    const before = this.#known;
    this.#known = new Map();
    for (const [key, value] of this.#table.entries) {
      if (!key.startsWith(KEY)) continue;
      this.#known.set(value, before.has(value) ? before.get(value) : this.#parse(key, value));
    }
    this.#rules = [...this.#known.values()]
      .flatMap((rule) => rule ?? [])
      .sort((a, b) => a.createDate - b.createDate || (a.ruleId < b.ruleId ? -1 : 1));
    for (const listener of this.#listeners) listener();
  }

  /** A value that is no rule, perhaps of a newer version, is left alone. */
  #parse(key: string, value: string): PushRule | undefined {
    try {
      return readRule(JSON.parse(value));
    } catch (error) {
      // What JSON says of a text shows some of it, which may be a key.
      const why = error instanceof BadRule ? `${error.field}: ${error.message}` : "is not JSON";
      this.#logger.warn({ key, why }, "push rule not understood");
      return undefined;
    }
  }
}

function outOfReach(error: unknown): never {
  throw fail("ruleStoreFailed", "the cluster, which keeps the push rules, is out of reach", error);
}
