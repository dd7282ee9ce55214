import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ownCertificate, readCertificate } from "./certificate.ts";

test("a certificate is made once, for this machine, with a key that others cannot read", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tls-"));
  t.after(() => rm(folder, { recursive: true }));
  const directory = join(folder, "below");
  const first = await ownCertificate(directory);
  const parsed = new X509Certificate(first.certificate);
  assert.equal(parsed.checkHost("localhost"), "localhost");
  assert.equal(parsed.checkIP("127.0.0.1"), "127.0.0.1");
  assert.ok(parsed.verify(parsed.publicKey));
  assert.equal((await stat(join(directory, "key.pem"))).mode & 0o077, 0);
  assert.deepEqual(await ownCertificate(directory), first);
});

test("a certificate and a key that are no pair are refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tls-"));
  t.after(() => rm(folder, { recursive: true }));
  await ownCertificate(join(folder, "a"));
  await ownCertificate(join(folder, "b"));
  await assert.rejects(readCertificate(join(folder, "a/cert.pem"), join(folder, "b/key.pem")));
  await writeFile(join(folder, "text.pem"), "no certificate");
  await assert.rejects(readCertificate(join(folder, "text.pem"), join(folder, "b/key.pem")));
});
