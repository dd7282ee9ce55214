import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { breaksRule, cut, cuts, hex, unlessRuleBroken } from "../../../test/support/properties.ts";
import { CLIENT_HANDSHAKE, ClientDialogue } from "../../../test/support/rtmp-client-dialogue.ts";
import { micros, millis } from "../../base/time.ts";
import { amf0EcmaArray, amf0Object, propertiesOf } from "../amf0/value.ts";
import { addressOf } from "./serve-command.ts";

/** What publishers of `key` in `live` sent after C2, up to and with `publish`; captured on loopback. */
const CAPTURED = {
  "ffmpeg 5.1.9": `
    0300000000008c1400000000020007636f6e6e656374003ff00000000000000300036170700200046c69766500047479
    706502000a6e6f6e707269766174650008666c617368566572020024464d4c452f332e302028636f6d70617469626c65
    3b204c61766635392e32372e313030290005746355726c02001b72746d703a2f2f3132372e302e302e313a32c3383933
    362f6c69766500000902000000000004010000000000010000430000000000201402000d72656c656173655374726561
    6d004000000000000000050200036b65794300000000001c1402000946435075626c6973680040080000000000000502
    00036b6579430000000000191402000c63726561746553747265616d0040100000000000000508000000000021140100
    00000200077075626c697368004014000000000000050200036b65790200046c697665`,
  "librtmp 2.4, on which OBS is built": `
    0300000000005b1400000000020007636f6e6e656374003ff00000000000000300036170700200046c69766500047479
    706502000a6e6f6e707269766174650005746355726c02001b72746d703a2f2f3132372e302e302e313a32383933362f
    6c697665000009430000000000201402000d72656c6561736553747265616d004000000000000000050200036b657943
    00000000001c1402000946435075626c697368004008000000000000050200036b6579430000000000191402000c6372
    6561746553747265616d004010000000000000050400000000002114010000000200077075626c697368004014000000
    000000050200036b65790200046c697665`,
  "rtmp2sink of GStreamer 1.22": `
    030000000000761400000000020007636f6e6e656374003ff00000000000000300036170700200046c69766500047479
    706502000a6e6f6e707269766174650008666c61736856657202000e4c4e582031302c302c33322c3138000574635572
    6c02001b72746d703a2f2f3132372e302e302e313a32383933362f6c6976650000090200000000000405000000000026
    25a0430000000000201402000d72656c6561736553747265616d000000000000000000050200036b6579430000000000
    1c1402000946435075626c697368000000000000000000050200036b6579430000000000191402000c63726561746553
    747265616d004000000000000000050300000000002114010000000200077075626c6973680000000000000000000502
    00036b65790200046c697665`,
};

for (const [client, bytes] of Object.entries(CAPTURED)) {
  test(`${client} is understood, wherever its bytes are cut`, () => {
    const whole = Buffer.concat([CLIENT_HANDSHAKE, hex(bytes)]);
    fc.assert(
      fc.property(cuts(), (lengths) => {
        const dialogue = new ClientDialogue();
        for (const piece of cut(whole, lengths)) dialogue.receive(piece);
        assert.deepEqual(dialogue.outcomes, [
          {
            kind: "wish",
            wish: { role: "publish", app: "live", name: "key", parameters: new Map() },
          },
        ]);
        dialogue.session.accept();
        dialogue.poll();
        assert.equal(dialogue.commands.at(-1), "onStatus NetStream.Publish.Start");
      }),
      { numRuns: 30 },
    );
  });
}

test("the handshake answers C1 with its echo and says that it has no digest", () => {
  const dialogue = new ClientDialogue();
  dialogue.receive(CLIENT_HANDSHAKE.subarray(0, 1537), 5_000);
  assert.equal(dialogue.hello.length, 3073);
  assert.equal(dialogue.hello[0], 3);
  assert.deepEqual([...dialogue.hello.subarray(5, 9)], [0, 0, 0, 0], "version zero");
  const echo = dialogue.hello.subarray(1537);
  assert.deepEqual(echo.subarray(8), Buffer.from(CLIENT_HANDSHAKE.subarray(9, 1537)));
  breaksRule("rtmp.handshake.version", () => new ClientDialogue().receive(Uint8Array.of(6)));
});

test("connect is answered with Enhanced RTMP for those who speak it, and without for others", () => {
  const keysOf = (properties: Record<string, string[]>): string[] => {
    const dialogue = new ClientDialogue();
    dialogue.receive(CLIENT_HANDSHAKE);
    dialogue.command("connect", 1, amf0Object({ app: "live", ...properties }));
    const answer = dialogue.answers.find(({ kind }) => kind === "command");
    assert.ok(answer?.kind === "command");
    return [...propertiesOf(answer.values.at(-1)).keys()];
  };
  assert.ok(!keysOf({}).includes("fourCcList"));
  assert.ok(keysOf({ fourCcList: ["hvc1"] }).includes("videoFourCcInfoMap"));
});

test("parameters come from the name first, then from the application", () => {
  const { app, name, parameters } = addressOf("live/?token=b&x=1", "key?token=a%26&y");
  assert.deepEqual([app, name], ["live", "key"]);
  assert.deepEqual(Object.fromEntries(parameters), { token: "a&", x: "1", y: "" });
  assert.equal(addressOf("", "k?t=%zz").parameters.get("t"), "%zz");
});

test("media and metadata of a publisher come out with their times, and end with FCUnpublish", () => {
  const dialogue = new ClientDialogue().publishing();
  const metadata = amf0EcmaArray({ videocodecid: 7 });
  dialogue.say({ kind: "data", values: ["@setDataFrame", "onMetaData", metadata] }, 1);
  dialogue.say({ kind: "video", body: Uint8Array.of(0x17, 0) }, 1, 0xffff_fff0);
  dialogue.say({ kind: "audio", body: Uint8Array.of(0xaf, 0) }, 1, 0xffff_fff1);
  dialogue.command("FCUnpublish", 6, null, "key");
  const [, data, video, audio, end] = dialogue.outcomes;
  assert.ok(data?.kind === "metadata" && data.properties.get("videocodecid") === 7);
  assert.deepEqual(video, {
    kind: "media",
    type: "video",
    timestamp: 0xffff_fff0,
    body: Uint8Array.of(0x17, 0),
  });
  assert.ok(audio?.kind === "media" && audio.timestamp === 0xffff_fff1);
  assert.deepEqual(end, { kind: "stopped" });
  assert.equal(dialogue.commands.at(-1), "onStatus NetStream.Unpublish.Success");
  assert.equal(dialogue.session.step, "over");
});

test("media before the consent is nobody's", () => {
  const dialogue = new ClientDialogue().connected();
  dialogue.say({ kind: "video", body: Uint8Array.of(0x17, 0) }, 1);
  dialogue.command("publish", 5, null, "key", "live");
  dialogue.say({ kind: "video", body: Uint8Array.of(0x17, 0) }, 1);
  assert.deepEqual(
    dialogue.outcomes.map(({ kind }) => kind),
    ["wish"],
  );
});

test("a refused publisher is told why", () => {
  const dialogue = new ClientDialogue().connected();
  dialogue.command("publish", 5, null, "key", "live");
  dialogue.session.refuse("NetStream.Publish.BadName", "taken");
  dialogue.poll();
  assert.equal(dialogue.commands.at(-1), "onStatus NetStream.Publish.BadName");
  assert.equal(dialogue.session.step, "over");
});

test("a player gets tags on its stream, and a farewell", () => {
  const dialogue = new ClientDialogue().connected();
  dialogue.command("play", 5, null, "key", -2000);
  dialogue.session.accept();
  const tag = { kind: "video", role: "key", pts: micros(0), body: Uint8Array.of(0x17, 1) } as const;
  dialogue.session.write(tag, millis(40));
  dialogue.session.closing("the publisher ended");
  dialogue.poll();
  assert.deepEqual(dialogue.commands.slice(-3), [
    "onStatus NetStream.Play.Reset",
    "onStatus NetStream.Play.Start",
    "onStatus NetStream.Play.UnpublishNotify",
  ]);
  assert.ok(dialogue.answers.some(({ kind }) => kind === "video"));
  assert.deepEqual(dialogue.answers.at(-1), {
    kind: "userControl",
    event: 1,
    data: Uint8Array.of(0, 0, 0, 1),
  });
});

test("bytes are acknowledged, pings answered, a second stream refused", () => {
  const dialogue = new ClientDialogue().publishing();
  dialogue.say({ kind: "windowAckSize", size: 1000 });
  dialogue.say({ kind: "userControl", event: 6, data: Uint8Array.of(1, 2, 3, 4) });
  dialogue.command("publish", 9, null, "other", "live");
  const kinds = dialogue.answers.map(({ kind }) => kind);
  assert.ok(kinds.includes("acknowledgement"));
  const pong = dialogue.answers.findLast(({ kind }) => kind === "userControl");
  assert.deepEqual(pong, { kind: "userControl", event: 7, data: Uint8Array.of(1, 2, 3, 4) });
  assert.equal(dialogue.commands.at(-1), "_error NetStream.Failed");
});

test("who does not say in time what it wants is let go; who publishes may take its time", () => {
  const silent = new ClientDialogue().connected();
  silent.session.wake(micros(9_999_999));
  silent.session.wake(micros(10_000_000));
  silent.poll();
  assert.deepEqual(silent.outcomes, [{ kind: "timedOut", step: "idle" }]);
  const publisher = new ClientDialogue().publishing();
  publisher.session.wake(micros(99_000_000));
  publisher.poll();
  assert.equal(publisher.session.step, "publishing");
});

test("commands out of order or without end break the protocol", () => {
  breaksRule("rtmp.serve.order", () => {
    const dialogue = new ClientDialogue();
    dialogue.receive(CLIENT_HANDSHAKE);
    dialogue.command("createStream", 1, null);
  });
  breaksRule("rtmp.serve.order", () => new ClientDialogue().connected().command("connect", 1));
  const flood = new ClientDialogue().connected();
  breaksRule("rtmp.serve.commands", () => {
    for (let i = 0; i < 1001; i += 1) flood.command("_checkbw", 0, null);
  });
});

test("any bytes in the place of messages end in silence or a broken rule", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.boolean(), (bytes, publishing) => {
      const dialogue = publishing
        ? new ClientDialogue().publishing()
        : new ClientDialogue().connected();
      unlessRuleBroken(() => dialogue.receive(bytes));
    }),
    { numRuns: 500 },
  );
});
