import { createHash, randomBytes } from "node:crypto";
import { fail } from "../../contract/failures.ts";
import { type AuthDemand, answerAuthDemand } from "../../protocol/rtmp/adobe-auth.ts";
import type { RtmpUrl } from "../../protocol/rtmp/url.ts";

/** The ladder of authentication has three steps, each on a connection of its own. */
const MOST_CONNECTIONS = 3;

/**
 * The query that answers what a server demanded on connection number `step`, from 1.
 * @throws Failure `authRequired`, `authFailed`
 */
export function answerDemand(url: RtmpUrl, demand: AuthDemand | undefined, step: number): string {
  const { credentials, app } = url;
  if (credentials === undefined) throw fail("authRequired", "the server wants a user and password");
  if (demand === undefined || demand.kind === "denied" || step >= MOST_CONNECTIONS) {
    throw fail("authFailed", "the server rejected the user or password");
  }
  return answerAuthDemand(demand, {
    user: credentials.user,
    password: credentials.password.reveal(),
    app,
    nonce: randomBytes(4).toString("hex"),
    md5: (text) => createHash("md5").update(text).digest(),
  });
}
