import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Secret } from "../base/secret.ts";
import { createLogger, type Logger, type LogLevel } from "./logger.ts";

function capture(level: LogLevel = "info"): { logger: Logger; text: () => string } {
  let text = "";
  const logger = createLogger(level, {
    write(line) {
      text += line;
    },
  });
  return { logger, text: () => text };
}

test("a line is one JSON object with the fields of its logger and its own", () => {
  const { logger, text } = capture();
  logger.child({ stream: "s1" }).info({ bytes: 5 }, "closed");
  const line = JSON.parse(text());
  assert.deepEqual([line.stream, line.bytes, line.msg], ["s1", 5, "closed"]);
  assert.match(line.time, /^\d{4}-\d\d-\d\dT/);
});

test("lines below the level are not written", () => {
  const { logger, text } = capture("warn");
  logger.info({}, "quiet");
  assert.equal(text(), "");
});

test("a secret is written as [redacted]", () => {
  const { logger, text } = capture();
  const secret = randomUUID();
  logger.info({ url: new Secret(secret), nested: { key: new Secret(secret) } }, "x");
  assert.ok(!text().includes(secret));
});

test("an RTMP URL keeps its host and loses its key, wherever it stands", () => {
  const { logger, text } = capture();
  const key = randomUUID();
  const url = `rtmps://live.example:443/app/${key}?auth=${key}`;
  logger.error({ url, error: new Error(`cannot reach ${url}`) }, `gave up on ${url}`);
  assert.ok(!text().includes(key));
  assert.match(JSON.parse(text()).msg, /^gave up on rtmps:\/\/live\.example:443\[redacted\]$/);
});

test("an RTMP URL without a key stays as it is", () => {
  const { logger, text } = capture();
  logger.info({}, "rtmp://live.example:1936");
  assert.equal(JSON.parse(text()).msg, "rtmp://live.example:1936");
});

test("credentials are removed whatever characters they hold, and the line stays JSON", () => {
  const word = fc.stringMatching(/^[!"#$%&'()*+,./:;<=>?@\w~\\-]{6,20}$/);
  fc.assert(
    fc.property(word, word, (name, password) => {
      const { logger, text } = capture();
      logger.info({ url: `rtmp://q1${name}:q2${password}@host/app` }, "x");
      const { url } = JSON.parse(text());
      assert.equal(url, "rtmp://[redacted]");
    }),
    { numRuns: 200 },
  );
});
