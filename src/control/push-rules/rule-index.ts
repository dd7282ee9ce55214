import type { PushRule } from "./rule.ts";
import { ruleMatches } from "./rule.ts";

/** Finds the rules of a stream without looking at all of them. */
export class RuleIndex {
  readonly #byId: ReadonlyMap<string, PushRule>;
  readonly #byName = new Map<string, PushRule[]>();
  readonly #patterns: readonly PushRule[];

  constructor(rules: readonly PushRule[]) {
    this.#byId = new Map(rules.map((rule) => [rule.ruleId, rule]));
    this.#patterns = rules.filter(isPattern);
    for (const rule of rules) {
      if (isPattern(rule)) continue;
      const same = this.#byName.get(rule.streamName);
      if (same === undefined) this.#byName.set(rule.streamName, [rule]);
      else same.push(rule);
    }
  }

  has(ruleId: string): boolean {
    return this.#byId.has(ruleId);
  }

  get(ruleId: string): PushRule | undefined {
    return this.#byId.get(ruleId);
  }

  /** The rules that wait for a stream of this name. */
  of(name: string): PushRule[] {
    const patterns = this.#patterns.filter((rule) => ruleMatches(rule, name));
    return [...(this.#byName.get(name) ?? []), ...patterns];
  }
}

export const isPattern = ({ streamName }: PushRule): boolean => streamName.endsWith("*");
