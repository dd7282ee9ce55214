import type { FastifyInstance } from "fastify";
import { docsPage } from "./docs-page.ts";
import { openApiDocument } from "./document.ts";

/** The description of the HTTP interface, for programs and for people. */
export function docsRoutes(app: FastifyInstance): void {
  const document = openApiDocument();
  const page = docsPage(document);
  app.get("/openapi.json", async () => document);
  app.get("/docs", async (_request, reply) =>
    reply
      .header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
      .type("text/html; charset=utf-8")
      .send(page),
  );
}
