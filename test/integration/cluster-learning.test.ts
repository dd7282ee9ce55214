/** A node that comes to a cluster in which many write all the time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { NatsBucket } from "../../src/cluster/nats/nats-bucket.ts";
import { startNats } from "../support/nats.ts";

const KEYS = 8000;
/** Of them, those that are written over: as leases are. */
const BUSY_KEYS = 500;
const WRITERS = 16;

test("a bucket is learned in full while its keys are written over without end", async (t) => {
  const nats = await startNats();
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  const ended = new AbortController();
  t.after(async () => {
    ended.abort();
    await connection.close();
    await nats.stop();
  });
  const options = { name: randomBytes(6).toString("hex"), replicas: 1, ageMs: 0 };
  const bucket = await NatsBucket.open(connection, options);
  const value = "x".repeat(500);
  let writes = 0;
  const write = async (keys: number, goesOn: () => boolean): Promise<void> => {
    while (goesOn()) await bucket.store.put(`k.${writes++ % keys}`, value);
  };
  const all = Array.from({ length: WRITERS });
  await Promise.all(all.map(() => write(KEYS, () => writes < KEYS)));
  let learned = false;
  const noise = all.map(() => write(BUSY_KEYS, () => !learned));
  for (let round = 0; round < 2; round += 1) {
    const seen = new Set<string>();
    await bucket.follow(ended.signal, ({ key }) => seen.add(key));
    assert.equal(seen.size, KEYS);
  }
  learned = true;
  await Promise.all(noise);
});
