import type { FastifyInstance } from "fastify";
import { fail } from "../../contract/failures.ts";
import type { PushRuleService } from "../../control/push-rules/push-rule-service.ts";
import { type PushRule, ruleView } from "../../control/push-rules/rule.ts";
import { OPERATIONS } from "./operations.ts";
import { serve } from "./serve.ts";

/** `/push/rule/*`: pushes that are tied to a name in advance. */
export function ruleRoutes(app: FastifyInstance, rules: PushRuleService): void {
  const object = (rule: PushRule): Record<string, unknown> => ({
    ...ruleView(rule),
    lastError: rules.lastError(rule.ruleId) ?? null,
  });
  const found = (list: readonly PushRule[]): Record<string, unknown>[] => {
    if (list.length === 0) throw fail("ruleNotFound", "no push rule matches");
    return list.map(object);
  };
  serve(app, OPERATIONS.ruleCreate, async (body) => object(await rules.create(body)));
  serve(app, OPERATIONS.ruleFind, ({ streamName, rtmpUrl }) =>
    found(rules.find(streamName, rtmpUrl)),
  );
  serve(app, OPERATIONS.ruleFindAll, () => found(rules.find(undefined, undefined)));
  serve(app, OPERATIONS.ruleRemove, ({ ruleId }) => rules.remove(ruleId));
}
