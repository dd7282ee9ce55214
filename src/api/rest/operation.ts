/** What is known of one operation of REST. Routes and OpenAPI are made of it. */
import type { z } from "zod";
import type { FailureCode } from "../../contract/failures.ts";

export interface Operation<Body extends z.ZodType = z.ZodType> {
  /** Below `/rest-api`. */
  readonly path: string;
  readonly methods: readonly ("GET" | "POST")[];
  readonly summary: string;
  readonly body: Body | undefined;
  /** Undefined is an empty answer. */
  readonly answer: z.ZodType | undefined;
  /** The answer is a list of such. */
  readonly list: boolean;
  readonly refusals: readonly FailureCode[];
}

type Given<Body extends z.ZodType> = Pick<Operation, "path" | "summary"> & Partial<Operation<Body>>;

export const operation = <Body extends z.ZodType = z.ZodNever>(
  given: Given<Body>,
): Operation<Body> => ({
  methods: ["POST"],
  body: undefined,
  answer: undefined,
  list: false,
  refusals: [],
  ...given,
});
