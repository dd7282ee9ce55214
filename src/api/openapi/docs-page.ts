/** The OpenAPI document as a page for people: one HTML text without scripts or anything from elsewhere. */
import type { OpenApiDocument } from "./document.ts";

type Json = Readonly<Record<string, unknown>>;

const STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent)}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:60rem}
h1,h2{line-height:1.2}h2{margin-top:2.5rem}
nav ul{columns:16rem;padding-left:1.2rem}
details{border:1px solid var(--line);border-radius:.4rem;margin:.6rem 0;padding:.5rem .8rem}
summary{cursor:pointer}
code,pre{font:.9em ui-monospace,monospace}
pre{overflow:auto;padding:.6rem;border:1px solid var(--line);border-radius:.3rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid var(--line)}
td:last-child{width:60%;overflow-wrap:anywhere}
.method{display:inline-block;min-width:3.5rem;font-weight:700}`;

const html = (value: unknown): string =>
  String(value).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
/** Text with its code in backticks. */
const prose = (value: unknown): string =>
  html(value ?? "").replace(/`([^`]*)`/g, "<code>$1</code>");
const object = (value: unknown): Json =>
  typeof value === "object" && value !== null ? (value as Json) : {};

export function docsPage(document: OpenApiDocument): string {
  const { title, version, description } = document.info;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => tagOf(operation)))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => tagOf(operation) === tag);
    return `<h2>${html(tag)}</h2>${own.map((one) => renderOperation(one)).join("")}`;
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="${html(name)}"><summary><strong>${html(name)}</strong> ${prose(schema["description"])}</summary>${fields(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${html(title)}: HTTP interface</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>${STYLE}</style></head><body>
<h1>${html(title)}: HTTP interface, version ${html(version)}</h1><p>${prose(description)}</p>
<p>The same for programs: <a href="openapi.json">openapi.json</a>. When the server asks for credentials, send
<code>Authorization: Bearer</code> with the token, or user and password as HTTP Basic.</p>
${sections.join("\n")}<h2>Objects</h2>${schemas.join("\n")}</body></html>`;
}

const tagOf = (operation: Json): string => String((operation["tags"] as unknown[])[0]);

interface Shown {
  readonly path: string;
  readonly method: string;
  readonly operation: Json;
}

function renderOperation({ path, method, operation }: Shown): string {
  const body = schemaOf(operation["requestBody"]);
  const parts = [
    parameters(operation),
    body === undefined ? "" : `<h4>Body</h4>${fields(body)}`,
    example({ path, method, operation }),
    `<h4>Answers</h4><table>${answers(object(operation["responses"]))}</table>`,
  ];
  return `<details><summary><span class="method">${html(method.toUpperCase())}</span> <code>${html(path)}</code> ${prose(operation["summary"])}</summary>${parts.join("")}</details>`;
}

function schemaOf(holder: unknown): Json | undefined {
  const [first] = Object.values(object(object(holder)["content"]));
  return first === undefined ? undefined : object(object(first)["schema"]);
}

function parameters(operation: Json): string {
  const list = (operation["parameters"] ?? []) as readonly Json[];
  if (list.length === 0) return "";
  const rows = list.map(
    (each) =>
      `<tr><td><code>${html(each["name"])}</code></td><td>${html(each["in"])}</td><td>${prose(each["description"])}</td></tr>`,
  );
  return `<h4>Parameters</h4><table>${rows.join("")}</table>`;
}

function answers(responses: Json): string {
  return Object.entries(responses)
    .map(([status, response]) => {
      const schema = schemaOf(response);
      const type = schema === undefined ? "" : typeOf(schema);
      return `<tr><td><strong>${html(status)}</strong></td><td>${type}</td><td>${prose(object(response)["description"])}</td></tr>`;
    })
    .join("");
}

/** A table of an object's fields; other schemas are named in a line. */
function fields(schema: Json): string {
  const properties = Object.entries(object(schema["properties"]));
  if (properties.length === 0) return `<p>${typeOf(schema)}</p>`;
  const required = (schema["required"] ?? []) as readonly string[];
  const rows = properties.map(([name, value]) => {
    const field = object(value);
    const need = required.includes(name) ? " *" : "";
    return `<tr><td><code>${html(name)}</code>${need}</td><td>${typeOf(field)}</td><td>${prose(field["description"])}</td></tr>`;
  });
  return `<table><tr><th>field</th><th>type</th><th>meaning</th></tr>${rows.join("")}</table>`;
}

function typeOf(schema: Json): string {
  const {
    $ref: reference,
    items,
    type,
    minimum,
    maximum,
    maxLength,
  } = schema as Record<string, unknown>;
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as readonly Json[] | undefined;
  if (typeof reference === "string") {
    const name = html(reference.split("/").at(-1));
    return `<a href="#${name}">${name}</a>`;
  }
  if (choices !== undefined) return choices.map((choice) => typeOf(choice)).join(" or ");
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((v) => `<code>${html(v)}</code>`).join(", ");
  if ("const" in schema) return `<code>${html(schema["const"])}</code>`;
  if (items !== undefined) return `list of ${typeOf(object(items))}`;
  if (type === "object" && schema["properties"] !== undefined)
    return nested(object(schema["properties"]));
  if (minimum !== undefined && maximum !== undefined)
    return `${html(type)}, ${html(minimum)} to ${html(maximum)}`;
  return maxLength === undefined
    ? html(type ?? "any")
    : `${html(type)}, at most ${html(maxLength)} long`;
}

const nested = (properties: Json): string =>
  `{ ${Object.entries(properties)
    .map(([name, value]) => `${html(name)}: ${typeOf(object(value))}`)
    .join(", ")} }`;

/** A command line that does it, with the required fields. */
function example({ path, method, operation }: Shown): string {
  const schema = schemaOf(operation["requestBody"]);
  const type = Object.keys(object(object(operation["requestBody"])["content"]))[0];
  const properties = object(schema?.["properties"]);
  const required = (schema?.["required"] ?? []) as readonly string[];
  const body = JSON.stringify(
    Object.fromEntries(required.map((name) => [name, EXAMPLES[name] ?? `<${name}>`])),
  );
  const data = Object.keys(properties).length > 0 ? ` -d '${body}'` : "";
  const header = type === undefined ? "" : ` -H 'Content-Type: ${type}'`;
  const verb = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  return `<pre>${html(`curl${verb}${header}${data} http://localhost:8081${path}`)}</pre>`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  streamName: "myStream",
  rtmpUrl: "rtmp://localhost:1935/live",
  soundFile: "pause.wav",
};
