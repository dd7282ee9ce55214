/** RTMP: chunks to messages, and whole publishing sessions against a server that went mad. */
import assert from "node:assert/strict";
import { ChunkReader, SERVER_LIMITS } from "../src/protocol/rtmp/chunk-reader.ts";
import { decodeMessage } from "../src/protocol/rtmp/message.ts";
import { Dialogue, HANDSHAKE } from "../test/support/rtmp-dialogue.ts";
import { SERVER_ANSWERS } from "../test/vectors/rtmp-servers.ts";
import { type Chance, fuzz, inPieces, mutate, unlessRuleBroken } from "./support/fuzz.ts";

function readChunks(chance: Chance, input: Uint8Array): void {
  const reader = new ChunkReader(SERVER_LIMITS);
  let payload = 0;
  unlessRuleBroken(() =>
    inPieces(chance, input, (piece) => {
      reader.push(piece);
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
        const message = raw;
        payload += message.payload.length;
        unlessRuleBroken(() => decodeMessage(message));
      }
    }),
  );
  assert.ok(payload <= input.length);
}

function publish(chance: Chance, input: Uint8Array): void {
  const dialogue = new Dialogue();
  dialogue.receive(HANDSHAKE);
  unlessRuleBroken(() => inPieces(chance, input, (piece) => dialogue.receive(piece)));
  dialogue.session.closing();
  dialogue.poll();
  assert.ok(dialogue.sent.length <= 20 + input.length);
}

fuzz((chance) => {
  const seed = chance.pick(Object.values(SERVER_ANSWERS));
  const input = chance.oneIn(10) ? chance.bytes(3000) : mutate(chance, seed);
  readChunks(chance, input);
  publish(chance, input);
});
