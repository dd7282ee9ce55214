/** What the server says of its own HTTP interface, and whether that is true. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { errorAnswer, pushAnswer, streamAnswer } from "../../src/api/rest/answers.ts";
import { publishNative } from "../support/native-publisher.ts";
import { startServer, type TestServer } from "../support/server.ts";

type Json = Record<string, unknown>;

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const get = (path: string) => fetch(`${server.httpUrl}/rest-api${path}`);

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" ? [String(inner)] : references(inner),
  );
}

test("the document is served, leads nowhere else, and names only paths that exist", async () => {
  const document = (await (await get("/openapi.json")).json()) as Json;
  assert.equal(document["openapi"], "3.1.0");
  const schemas = (document["components"] as Json)["schemas"] as Json;
  for (const reference of references(document)) {
    const name = reference.replace("#/components/schemas/", "");
    assert.ok(name in schemas, reference);
  }
  for (const [path, methods] of Object.entries(document["paths"] as Json)) {
    for (const method of Object.keys(methods as Json)) {
      const url = `${server.httpUrl}${path.replace(/\{\w+\}/g, "x")}`;
      const answer = await fetch(url, { method: method.toUpperCase() });
      const reason = answer.status === 404 ? ((await answer.json()) as Json)["reason"] : undefined;
      assert.notEqual(reason, "noSuchPath", `${method} ${path}`);
      assert.notEqual(answer.status, 405, `${method} ${path}`);
      if (reason === undefined) await answer.body?.cancel();
    }
  }
});

test("the page for people shows every path and needs nothing from elsewhere", async () => {
  const answer = await get("/docs");
  assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  const page = await answer.text();
  const { paths } = (await (await get("/openapi.json")).json()) as { paths: Json };
  for (const path of Object.keys(paths)) assert.ok(page.includes(path), path);
  assert.doesNotMatch(page, /<script|(?:src|href)="(?:https?:)?\/\//);
});

test("real answers are what the document says, field by field", async () => {
  const name = `s-${randomUUID()}`;
  const publisher = await publishNative(server.httpUrl, name);
  const body = { name, status: "PUBLISHING" };
  const found = await server.restUntil("/stream/find", body, (status) => status === 200);
  streamAnswer.strict().parse((found as unknown[])[0]);
  const push = await server.rest("/push/startup", { streamName: name, rtmpUrl: server.receiver });
  pushAnswer.strict().parse(push.body);
  const all = await server.rest("/push/find_all");
  pushAnswer.strict().parse((all.body as unknown[])[0]);
  const missing = await server.rest("/push/terminate", { mediaSessionId: "x" });
  assert.equal(missing.status, 404);
  errorAnswer.strict().parse(missing.body);
  await fetch(publisher.resource, { method: "DELETE" });
  publisher.close();
});
