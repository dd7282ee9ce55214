/** Publishers that have to prove who they are, against a server that insists on it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { publish, publishBriefly } from "../support/rtmp-publish.ts";
import { adobeGate, type Gatekeeper, limelightGate } from "../support/strict-rtmp/auth.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let server: StrictServer;
before(async () => {
  server = await StrictServer.start();
});
after(() => server.stop());

const word = (): string => randomBytes(6).toString("hex");
const account = { user: word(), password: word() };
const GATES: readonly (readonly [string, () => Gatekeeper])[] = [
  ["Adobe", () => adobeGate(account, false)],
  ["Adobe with an opaque value", () => adobeGate(account, true)],
  ["Limelight", () => limelightGate(account)],
];

const withUser = (path: string, { user, password } = account): string =>
  server
    .url(path)
    .replace("://", `://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);

/** Everything that the server was sent as text in `connect` and `publish`. */
const said = (clients: readonly RtmpClient[]): string =>
  JSON.stringify(clients.map(({ connect, publishName }) => [connect, publishName]));

for (const [kind, gate] of GATES) {
  test(`${kind}: the right password is let in, and is nowhere on the wire`, async () => {
    server.behaviour = { gate: gate() };
    for (const path of ["live", "app/instance", "app?version=2"]) {
      const before = server.clients.length;
      await publishBriefly(withUser(path), "name");
      const climbed = server.clients.slice(before);
      assert.equal(climbed.length, 3, "three connections, one a step");
      const [first, , last] = climbed;
      assert.equal(first?.connect?.["tcUrl"], server.url(path));
      assert.equal(last?.publishName, "name");
      assert.ok(!said(climbed).includes(account.password));
      assert.ok(!String(last?.connect?.["tcUrl"]).includes(`${account.user}:`));
    }
  });

  test(`${kind}: what ffmpeg proves is what the server wants to see proved`, async () => {
    server.behaviour = { gate: gate() };
    const picture = ["-f", "lavfi", "-i", "color=size=32x32", "-frames:v", "1"];
    const output = ["-f", "flv", withUser("live/ffmpeg")];
    const child = spawn("ffmpeg", ["-v", "error", ...picture, ...output], { stdio: "ignore" });
    assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 0);
    assert.equal(server.clients.at(-1)?.publishName, "ffmpeg");
  });

  test(`${kind}: a wrong password, an unknown user and no user end with their reasons`, async () => {
    server.behaviour = { gate: gate() };
    const wrong = [
      [withUser("live", { ...account, password: word() }), "authFailed"],
      [withUser("live", { ...account, user: word() }), "authFailed"],
      [server.url("live"), "authRequired"],
    ] as const;
    for (const [url, code] of wrong) {
      const { closed } = publish(url, "name");
      const failure = await closed;
      assert.equal(failure.code, code);
      assert.ok(!failure.message.includes(account.password));
    }
  });
}

test("user and password may hold every character that a URL can escape", async () => {
  const odd = { user: `a&b=c?d${word()}`, password: `p@:/?#%&= ü${word()}` };
  for (const gate of [adobeGate(odd, true), limelightGate(odd)]) {
    server.behaviour = { gate };
    await publishBriefly(withUser("live", odd), "name");
    assert.equal(server.clients.at(-1)?.publishName, "name");
  }
});
