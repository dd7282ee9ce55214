/** Push rules: their store, and who applies them. */
import { resolve } from "node:path";
import type { Scope } from "../base/scope.ts";
import { FileRuleStore } from "../control/push-rules/file-rule-store.ts";
import { PushRuleService } from "../control/push-rules/push-rule-service.ts";
import type { RuleStore } from "../control/push-rules/rule-store.ts";
import { SharedRuleStore, type SharedTable } from "../control/push-rules/shared-rule-store.ts";
import type { Registry } from "../control/registry.ts";
import type { TransponderService } from "../control/transponder-service.ts";
import type { Logger } from "../observe/logger.ts";
import { systemClock } from "../observe/system-clock.ts";
import type { Settings } from "../settings/schema.ts";

/** Between two looks at rules that were refused for a reason that may pass. */
const POLL_MS = 1000;

interface Ruled {
  readonly registry: Registry;
  readonly pushes: TransponderService;
  readonly logger: Logger;
  /** What all nodes share; undefined for a node that is alone, which keeps its rules in a file. */
  readonly table: SharedTable | undefined;
}

/** Rejects with an error that names the setting when the rules cannot be read. */
export async function openRules(
  settings: Settings,
  ruled: Ruled,
  scope: Scope,
): Promise<PushRuleService> {
  const { registry, pushes, logger } = ruled;
  const store = await openStore(settings, ruled);
  scope.onClose(() => store.close());
  const rules = new PushRuleService(store, registry, pushes, systemClock, logger);
  const timer = setInterval(() => rules.poll(), POLL_MS);
  scope.onClose(() => clearInterval(timer));
  return rules;
}

async function openStore(settings: Settings, { logger, table }: Ruled): Promise<RuleStore> {
  const maxRules = settings.max_push_rules;
  if (table !== undefined) return new SharedRuleStore(table, maxRules, logger);
  const options = { path: resolve(settings.push_rules_file), maxRules };
  return FileRuleStore.open(options, logger).catch((error: Error) => {
    throw new Error(`push_rules_file: ${error.message}`);
  });
}
