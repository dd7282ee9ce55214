/** Who may do what here: credentials of requests and of publishers. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../base/secret.ts";
import { fail } from "../contract/failures.ts";

export interface AccessRules {
  /** What opens REST, events, metrics and previews; undefined leaves them open. Either way is enough. */
  readonly rest:
    | {
        readonly basic: { readonly user: string; readonly password: Secret } | undefined;
        readonly token: Secret | undefined;
      }
    | undefined;
  /** What a publisher must show; undefined lets everybody publish. */
  readonly publishToken: Secret | undefined;
  /** Application keys that WebSDK clients may come with; none means any. */
  readonly appKeys: readonly string[];
}

/** Takes the same time wherever the two differ, and however long they are. */
function equal(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** The one place that compares credentials. */
export class Access {
  readonly #rules: AccessRules;

  constructor(rules: AccessRules) {
    this.#rules = rules;
  }

  /** Values of `WWW-Authenticate`; empty when REST is open. */
  get challenges(): readonly string[] {
    const { rest } = this.#rules;
    return [
      ...(rest?.basic === undefined ? [] : ['Basic realm="Transponder", charset="UTF-8"']),
      ...(rest?.token === undefined ? [] : ['Bearer realm="Transponder"']),
    ];
  }

  get publishersNeedToken(): boolean {
    return this.#rules.publishToken !== undefined;
  }

  /** `authorization` is the header's value. Throws `Failure` `unauthorized`. */
  checkRest(authorization: string | undefined): void {
    const { rest } = this.#rules;
    if (rest === undefined) return;
    const [, scheme = "", value = ""] = /^(\S+) +(\S+) *$/.exec(authorization ?? "") ?? [];
    const known =
      scheme.toLowerCase() === "bearer"
        ? rest.token !== undefined && equal(value, rest.token.reveal())
        : scheme.toLowerCase() === "basic" && this.#basic(value);
    if (!known) throw fail("unauthorized", "credentials are missing or wrong");
  }

  /** Throws `Failure` `unauthorized`. */
  checkPublishToken(token: string | undefined): void {
    const { publishToken } = this.#rules;
    if (publishToken === undefined) return;
    if (token === undefined || !equal(token, publishToken.reveal())) {
      throw fail("unauthorized", "the publish token is missing or wrong");
    }
  }

  /** Throws `Failure` `forbidden`. */
  checkAppKey(appKey: string): void {
    const { appKeys } = this.#rules;
    if (appKeys.length === 0 || appKeys.some((known) => equal(appKey, known))) return;
    throw fail("forbidden", "this application key is not known here");
  }

  #basic(value: string): boolean {
    const wanted = this.#rules.rest?.basic;
    if (wanted === undefined) return false;
    const given = Buffer.from(value, "base64").toString("utf8");
    return equal(given, `${wanted.user}:${wanted.password.reveal()}`);
  }
}
