import { generate } from "selfsigned";

/** A certificate authority that nobody knows, and what it signed. */
export interface TestAuthority {
  /** PEM, to be trusted. */
  readonly certificate: string;
  /** A server certificate for these DNS names. */
  sign(names: readonly string[]): Promise<{ readonly cert: string; readonly key: string }>;
}

export async function createAuthority(): Promise<TestAuthority> {
  const ca = await generate([{ name: "commonName", value: "Test authority" }], {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certificate: ca.cert,
    async sign(names) {
      const { cert, private: key } = await generate(
        [{ name: "commonName", value: names[0] ?? "" }],
        {
          ca: { key: ca.private, cert: ca.cert },
          extensions: [
            { name: "basicConstraints", cA: false },
            { name: "extKeyUsage", serverAuth: true },
            {
              name: "subjectAltName",
              altNames: names.map((value) => ({ type: 2 as const, value })),
            },
          ],
        },
      );
      return { cert, key };
    },
  };
}
