import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";

/** PEM texts for https and wss. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const YEARS = 10;
const DNS = 2;
const IP = 7;

/** Reads a certificate and its key. Rejects when a file cannot be read or the two are no pair. */
export async function readCertificate(certificate: string, key: string): Promise<Certificate> {
  const pair = {
    certificate: await readFile(certificate, "utf8"),
    key: await readFile(key, "utf8"),
  };
  createSecureContext({ cert: pair.certificate, key: pair.key });
  return pair;
}

/**
 * The certificate kept in `directory`, made and signed by itself when there is none, for this machine's
 * names and addresses: good enough for other machines to publish after a warning.
 */
export async function ownCertificate(directory: string): Promise<Certificate> {
  const files = { certificate: join(directory, "cert.pem"), key: join(directory, "key.pem") };
  if (!existsSync(files.certificate) || !existsSync(files.key)) await make(directory, files);
  return readCertificate(files.certificate, files.key);
}

async function make(directory: string, files: { certificate: string; key: string }): Promise<void> {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const names = [...new Set(["localhost", hostname()])].map((value) => ({ type: DNS, value }));
  const ips = addresses
    .filter(({ address }) => !address.includes("%"))
    .map(({ address }) => ({ type: IP, ip: address }));
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS);
  // A large library that is needed once in the life of an installation.
  const { generate } = await import("selfsigned");
  const pems = await generate([{ name: "commonName", value: hostname() }], {
    keyType: "ec",
    notAfterDate,
    extensions: [{ name: "subjectAltName", altNames: [...names, ...ips] as never }],
  });
  await mkdir(directory, { recursive: true });
  await writeFile(files.key, pems.private, { mode: 0o600 });
  await writeFile(files.certificate, pems.cert);
}
