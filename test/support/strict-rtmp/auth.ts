/**
 * How servers ask publishers for a user and password: `authmod=adobe` and `authmod=llnw`, from the
 * server's side and written without a look at the product's client.
 */
import { createHash, randomBytes } from "node:crypto";

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Says what is wrong with the query of a `connect`; undefined lets it in. */
export type Gatekeeper = (app: string) => string | undefined;

const md5 = (text: string) => createHash("md5").update(text, "utf8");
const hex = (text: string): string => md5(text).digest("hex");

function queryOf(app: string): URLSearchParams & { raw(name: string): string } {
  const query = app.includes("?") ? app.slice(app.indexOf("?") + 1) : "";
  const raw = (name: string): string => {
    const pair = query.split("&").find((part) => part.startsWith(`${name}=`));
    return pair === undefined ? "" : pair.slice(name.length + 1);
  };
  return Object.assign(new URLSearchParams(query), { raw });
}

/** Adobe Media Server and its kin. With `opaque` the server wants that in place of its challenge. */
export function adobeGate(account: Account, opaque: boolean): Gatekeeper {
  const issued = new Map<string, { salt: string; key: string }>();
  return (app) => {
    const query = queryOf(app);
    if (query.get("authmod") !== "adobe") {
      return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
    }
    const head = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=";
    const user = decodeURIComponent(query.raw("user"));
    if (user !== account.user) return `${head}nosuchuser`;
    if (query.raw("response") === "") {
      const salt = randomBytes(8).toString("base64");
      const challenge = randomBytes(12).toString("base64");
      const token = randomBytes(12).toString("base64");
      issued.set(opaque ? token : "latest", { salt, key: opaque ? token : challenge });
      const asked = `${head}needauth&user=${user}&salt=${salt}&challenge=${challenge}`;
      return opaque ? `${asked}&opaque=${token}` : asked;
    }
    const given = issued.get(opaque ? query.raw("opaque") : "latest");
    if (given === undefined) return `${head}authfailed`;
    issued.clear();
    const first = md5(account.user + given.salt + account.password).digest("base64");
    const wanted = md5(first + given.key + query.raw("challenge")).digest("base64");
    return query.raw("response") === wanted ? undefined : `${head}authfailed`;
  };
}

/** Limelight Networks: an HTTP digest with the realm "live" and the method "publish". */
export function limelightGate(account: Account): Gatekeeper {
  const nonces = new Set<string>();
  return (app) => {
    const query = queryOf(app);
    if (query.get("authmod") !== "llnw") {
      return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : ";
    }
    const head = "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=";
    const user = decodeURIComponent(query.raw("user"));
    if (user !== account.user) return `${head}nosuchuser`;
    if (query.raw("response") === "") {
      const nonce = randomBytes(9).toString("base64");
      nonces.add(nonce);
      return `${head}needauth&user=${user}&nonce=${nonce}`;
    }
    const nonce = query.raw("nonce");
    if (!nonces.delete(nonce)) return `${head}authfailed`;
    const [path = ""] = app.split("?", 1);
    const uri = path.includes("/") ? `/${path}` : `/${path}/_definst_`;
    const digest = hex(
      [
        hex(`${account.user}:live:${account.password}`),
        nonce,
        query.raw("nc"),
        query.raw("cnonce"),
        "auth",
        hex(`publish:${uri}`),
      ].join(":"),
    );
    return query.raw("response") === digest ? undefined : `${head}authfailed`;
  };
}
