/** Signatures of webhooks, as the Standard Webhooks specification (version 1) has them. */
import { createHmac } from "node:crypto";
import type { Secret } from "../../base/secret.ts";

const PREFIX = "whsec_";

/** A secret with the specification's prefix is base64; any other text is taken as it is. */
function keyOf(secret: Secret): Buffer {
  const text = secret.reveal();
  return text.startsWith(PREFIX)
    ? Buffer.from(text.slice(PREFIX.length), "base64")
    : Buffer.from(text, "utf8");
}

/** Value of `webhook-signature`; `timestamp` is that of `webhook-timestamp`, Unix seconds. */
export function sign(secret: Secret, id: string, timestamp: number, body: string): string {
  const mac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest("base64")}`;
}
