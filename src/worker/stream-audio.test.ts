import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../../test/support/properties.ts";
import { opusForm } from "../../test/support/sound-forms.ts";

test("Opus may pass where its source sends it, pushes sound in AAC and no setting is against it", () => {
  assert.equal(opusForm()?.codec, "opus");
  assert.equal(opusForm({}, "pcma"), undefined);
  assert.equal(opusForm({ passOpus: false }), undefined);
  assert.equal(opusForm({ codec: "pcmu" }), undefined);
});

test("its header says two channels, or as many as are asked for, and its silence has as many", () => {
  const said = ([0, 1, 2] as const).map((channels) => {
    const form = opusForm({ channels });
    return [form?.channels, form?.config?.[14], form?.silence];
  });
  const [mono, stereo] = [hex("91 4f707573 f8fffe"), hex("91 4f707573 fcfffe")];
  assert.deepEqual(said, [
    [2, 2, stereo],
    [1, 1, mono],
    [2, 2, stereo],
  ]);
});
