import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "./flags.ts";

test("settings come in the order given, in both spellings", () => {
  const flags = parseFlags(["--ws.port=1", "--set", "ip=", "--set=ws.port=2", "--config", "f"]);
  assert.deepEqual(flags.settings, [
    ["ws.port", "1"],
    ["ip", ""],
    ["ws.port", "2"],
  ]);
  assert.equal(flags.config, "f");
  assert.equal(flags.printConfig || flags.checkConfig || flags.help, false);
});

test("a value may hold equals signs", () => {
  const url = "rtmp://h/a?x=1&y=2";
  assert.deepEqual(parseFlags([`--rtmp_push_auto_start_url=${url}`]).settings[0]?.[1], url);
  assert.deepEqual(parseFlags(["--set", `rtmp_push_auto_start_url=${url}`]).settings[0]?.[1], url);
});

test("what cannot be meant is refused by name", () => {
  const refused: [string[], RegExp][] = [
    [["--set"], /--set needs KEY=VALUE/],
    [["--set", "=1"], /--set needs KEY=VALUE/],
    [["--set", "workers"], /--set needs KEY=VALUE/],
    [["--config"], /--config needs a value/],
    [["--workers"], /--workers needs a value/],
    [["--ws.port", "80"], /begins with --/],
    [["80"], /begins with --/],
    [["--help=1"], /--help takes no value/],
  ];
  for (const [args, message] of refused) assert.throws(() => parseFlags(args), { message });
});

test("names that every object has are settings like any other", () => {
  assert.deepEqual(parseFlags(["--toString=1"]).settings, [["toString", "1"]]);
});
