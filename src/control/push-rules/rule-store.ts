import type { PushRule } from "./rule.ts";

/** Where push rules are kept, for one node or for many. */
export interface RuleStore {
  /**
   * The rules as they are known here, the oldest first. Never throws: a store that is out of reach shows
   * what it knew last.
   */
  list(): readonly PushRule[];
  /**
   * Keeps a rule; `list` has it afterwards. Rejects with `Failure`: `tooMany`, `ruleStoreFailed`; then
   * nothing has changed.
   */
  put(rule: PushRule): Promise<void>;
  /** Forgets a rule; false when there is none of this id. Rejects with `Failure` `ruleStoreFailed`. */
  remove(ruleId: string): Promise<boolean>;
  /**
   * Calls `listener` after every change of `list`, whoever made it. It says that something is different, not
   * what: the reader looks. The returned function ends it.
   */
  watch(listener: () => void): () => void;
  /** What was put is safe afterwards. */
  close(): Promise<void>;
}
