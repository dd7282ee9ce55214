import type { z } from "zod";
import { fail } from "../../contract/failures.ts";

/** The parsed body. Throws `Failure` `badRequest` that names the field. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "body";
  throw fail("badRequest", `${field}: ${issue?.message ?? "invalid"}`);
}
