/** The OpenAPI 3.1 description of the HTTP interface, made from the schemas that the routes read with. */
import { z } from "zod";
import { FAILURES, type FailureCode } from "../../contract/failures.ts";
import {
  callAnswer,
  checkAnswer,
  errorAnswer,
  healthAnswer,
  pushAnswer,
  readinessAnswer,
  streamAnswer,
} from "../rest/answers.ts";
import { nodeAnswer } from "../rest/node-operations.ts";
import type { Operation } from "../rest/operation.ts";
import { OPERATIONS } from "../rest/operations.ts";
import { ruleAnswer } from "../rest/rule-operations.ts";
import { OTHER_PATHS } from "./other-paths.ts";

type Json = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Json & { readonly schemas: Readonly<Record<string, Json>> };
}

const DESCRIPTION = [
  "Republishes WebRTC streams and SIP calls to RTMP servers. The operations under /rest-api/push,",
  "/rest-api/stream and /rest-api/call are those of Flashphoner WCS 5.2: numbers and booleans may also be given as text,",
  "fields that are not known are ignored, and 0 means unset.",
].join(" ");

/** Answers with a name of their own. */
const NAMED = new Map<z.ZodType, string>([
  [pushAnswer, "Push"],
  [ruleAnswer, "PushRule"],
  [streamAnswer, "Stream"],
  [callAnswer, "Call"],
  [checkAnswer, "Check"],
  [nodeAnswer, "Node"],
  [errorAnswer, "Error"],
  [readinessAnswer, "Readiness"],
  [healthAnswer, "Health"],
]);

const TAGS: Readonly<Record<string, string>> = {
  push: "Pushes",
  call: "Calls",
  node: "Node",
};
/** Refusals that any guarded operation may answer with. */
const COMMON: readonly FailureCode[] = ["unauthorized", "tooMany", "internal"];
const SECURITY = [{}, { basic: [] }, { bearer: [] }];

/** Schemas of answers say what is there, those of bodies what may be given. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const content = (schema: Json): Json => ({ "application/json": { schema } });

function answerOf({ answer, list }: Operation): Json {
  if (answer === undefined) return { description: "Done; the body is empty." };
  const one = reference(NAMED.get(answer) ?? "");
  return {
    description: list ? "What was found." : "Done.",
    content: content(list ? { type: "array", items: one } : one),
  };
}

/** One response a status; it lists the codes that have it. */
function refusalsOf(codes: readonly FailureCode[]): Record<string, Json> {
  const byStatus = new Map<number, FailureCode[]>();
  for (const code of new Set([...codes, ...COMMON])) {
    const { http } = FAILURES[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  const responses = [...byStatus].map(([status, same]): [string, Json] => {
    const description = same.map((code) => `\`${code}\`: ${FAILURES[code].meaning}`).join(" ");
    return [String(status), { description, content: content(reference("Error")) }];
  });
  return Object.fromEntries(responses);
}

function describeOperation(id: string, method: "GET" | "POST", operation: Operation): Json {
  const { body, path, summary, refusals } = operation;
  return {
    operationId: method === "GET" && operation.methods.length > 1 ? `${id}Get` : id,
    tags: [TAGS[path.split("/")[1] ?? ""] ?? "Streams"],
    summary,
    security: SECURITY,
    ...(body !== undefined && {
      requestBody: { required: true, content: content(jsonSchema(body, "input")) },
    }),
    responses: { "200": answerOf(operation), ...refusalsOf(refusals) },
  };
}

/** Every path that clients may use, with all that is known of it. */
export function openApiDocument(): OpenApiDocument {
  const operations = Object.entries<Operation>(OPERATIONS).map(([id, operation]) => {
    const methods = operation.methods.map((method): [string, Json] => [
      method.toLowerCase(),
      describeOperation(id, method, operation),
    ]);
    return [`/rest-api${operation.path}`, Object.fromEntries(methods)] as const;
  });
  const schemas = [...NAMED].map(([schema, name]): [string, Json] => [
    name,
    jsonSchema(schema, "output"),
  ]);
  return {
    openapi: "3.1.0",
    info: { title: "Transponder", version: "1", description: DESCRIPTION },
    paths: { ...Object.fromEntries(operations), ...OTHER_PATHS },
    components: {
      securitySchemes: {
        basic: { type: "http", scheme: "basic" },
        bearer: { type: "http", scheme: "bearer" },
      },
      schemas: Object.fromEntries(schemas),
    },
  };
}
