import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { type TestContext, test } from "node:test";
import { until } from "../../../test/support/audio-engine.ts";
import { systemClock } from "../../observe/system-clock.ts";
import { RtpPorts } from "./rtp-ports.ts";
import { bindUdp } from "./udp-socket.ts";

/** The other side: two ports that write down what comes. */
async function phone(address: string, t: TestContext) {
  const family = address.includes(":") ? 6 : 4;
  const open = async () => {
    const socket = await bindUdp(address, family, 0);
    const heard: string[] = [];
    socket.on("message", (bytes) => heard.push(bytes.toString("hex")));
    t.after(() => socket.close());
    return { socket, heard, port: socket.address().port };
  };
  return { rtp: await open(), rtcp: await open() };
}

async function ours(address: string, t: TestContext) {
  const heard = { rtp: [] as string[], rtcp: [] as string[] };
  const ports = await RtpPorts.open(
    {
      ports: { from: 20_000, to: 65_535 },
      bindAddress: address,
      address,
      clock: systemClock,
      mayConnect: () => true,
    },
    {
      onRtp: (bytes) => heard.rtp.push(Buffer.from(bytes).toString("hex")),
      onRtcp: (bytes) => heard.rtcp.push(Buffer.from(bytes).toString("hex")),
    },
  );
  t.after(() => ports.close());
  return { ports, heard };
}

const RTP = Buffer.concat([Buffer.from("8000000100000002", "hex"), randomBytes(8)]);
const RTCP = Buffer.from("80c9000100000001", "hex");

const say = (from: Socket, bytes: Uint8Array, port: number, address: string): void =>
  from.send(bytes, port, address, () => undefined);

for (const address of ["127.0.0.1", "::1"]) {
  const family = address === "::1" ? "IPv6" : "IPv4";
  test(`over ${family} RTP and RTCP have a port each, an even one and the next`, async (t) => {
    const { rtp, rtcp } = await phone(address, t).catch(() => ({
      rtp: undefined,
      rtcp: undefined,
    }));
    if (rtp === undefined || rtcp === undefined) {
      t.skip(`no ${family} here`);
      return;
    }
    const { ports, heard } = await ours(address, t);
    assert.deepEqual([ports.local.rtp % 2, ports.local.rtcp], [0, ports.local.rtp + 1]);
    ports.signal({ address, rtp: rtp.port, rtcp: rtcp.port }, false);
    ports.sendRtp(RTP);
    ports.sendRtcp(RTCP);
    say(rtp.socket, RTP, ports.local.rtp, address);
    say(rtcp.socket, RTCP, ports.local.rtcp, address);
    await until("both directions", () =>
      [rtp.heard, rtcp.heard, heard.rtp, heard.rtcp].every((list) => list.length === 1),
    );
    assert.deepEqual([rtp.heard, rtcp.heard], [[RTP.toString("hex")], [RTCP.toString("hex")]]);
  });
}

test("with rtcp-mux both share the port of RTP and are told apart (RFC 5761)", async (t) => {
  const { rtp, rtcp } = await phone("127.0.0.1", t);
  const { ports, heard } = await ours("127.0.0.1", t);
  ports.signal({ address: "127.0.0.1", rtp: rtp.port, rtcp: rtcp.port }, true);
  ports.sendRtp(RTP);
  ports.sendRtcp(RTCP);
  say(rtp.socket, RTCP, ports.local.rtp, "127.0.0.1");
  say(rtp.socket, RTP, ports.local.rtp, "127.0.0.1");
  await until("both directions", () => rtp.heard.length === 2 && heard.rtp.length === 1);
  assert.deepEqual(rtp.heard, [RTP.toString("hex"), RTCP.toString("hex")]);
  assert.deepEqual([heard.rtcp, heard.rtp], [[RTCP.toString("hex")], [RTP.toString("hex")]]);
  assert.deepEqual(rtcp.heard, []);
});
