import assert from "node:assert/strict";
import { test } from "node:test";
import { openAudioLab, type RecordedTranscode, until } from "../../../test/support/audio-engine.ts";
import { opusPackets, tone } from "../../../test/support/audio-lab.ts";
import { aacForm } from "../../../test/support/sound-forms.ts";
import { loaderFlags } from "../codec/codec-process.ts";

const PACKETS = opusPackets(tone(440, 48_000, 1), 1).slice(0, 50);

/** Live audio of `seconds` from second `from` on. */
function play(run: RecordedTranscode, from: number): void {
  run.feed(PACKETS, "opus", from * 1_000_000);
}

const rising = (run: RecordedTranscode): boolean =>
  run.frames.every((frame, i) => i === 0 || frame.slot > (run.frames[i - 1]?.slot ?? 0));

test("a codec process that is killed is replaced and every transcode goes on on its grid", async () => {
  const lab = openAudioLab({ aacEngine: "ffmpeg" });
  const runs = [lab.open(1), lab.open(2)];
  for (const run of runs) play(run, 0);
  for (const run of runs) await until("frames", () => (run.frames.at(-1)?.slot ?? 0) > 40);
  process.kill(lab.pids()[0] as number, "SIGKILL");
  for (const run of runs) await until("interruption", () => run.interruptions.length > 0);
  for (const run of runs) play(run, 5);
  for (const run of runs) await until("resumed", () => (run.frames.at(-1)?.slot ?? 0) > 270);
  for (const run of runs) {
    assert.ok(rising(run));
    assert.deepEqual(run.interruptions, ["codecUnavailable"]);
  }
  assert.equal(lab.engine.stats().restarts, 1);
  await lab.engine.close();
});

test("a codec process that hangs is killed by the watchdog and replaced", async () => {
  const lab = openAudioLab({ aacEngine: "ffmpeg", silenceMs: 400 });
  const run = lab.open(1);
  play(run, 0);
  await until("frames", () => (run.frames.at(-1)?.slot ?? 0) > 40);
  process.kill(lab.pids()[0] as number, "SIGSTOP");
  play(run, 1);
  await until("interruption", () => run.interruptions.length > 0);
  play(run, 5);
  await until("resumed", () => (run.frames.at(-1)?.slot ?? 0) > 270);
  assert.ok(rising(run));
  assert.ok(lab.events.some((event) => event.kind === "ended" && event.reason === "it hung"));
  await lab.engine.close();
});

test("audio that waits too long for a lagging codec process is dropped and counted", async () => {
  const lab = openAudioLab({ aacEngine: "ffmpeg", maxLagMs: 50, eager: true });
  await until("started", () => lab.pids().length === 1);
  const run = lab.open(1);
  play(run, 0);
  await until("frames", () => (run.frames.at(-1)?.slot ?? 0) > 40);
  process.kill(lab.pids()[0] as number, "SIGSTOP");
  play(run, 1);
  let second = 2;
  const dropped = (): boolean => {
    play(run, second);
    second += 1;
    return lab.events.some((event) => event.kind === "dropped" && event.packets > 0);
  };
  await until("dropped", dropped);
  process.kill(lab.pids()[0] as number, "SIGCONT");
  const stopped = second;
  await until("resumed", () => {
    play(run, second);
    second += 1;
    return (run.frames.at(-1)?.slot ?? 0) > stopped * 46.875;
  });
  assert.ok(rising(run));
  assert.equal(run.interruptions.length, 0);
  await lab.engine.close();
});

test("closing ends the codec process, and what comes after is ignored", async () => {
  const lab = openAudioLab({ aacEngine: "ffmpeg", eager: true });
  await until("started", () => lab.pids().length === 1);
  const run = lab.open(1);
  await lab.engine.close();
  play(run, 0);
  assert.throws(() => process.kill(lab.pids()[0] as number, 0));
  await assert.rejects(lab.engine.loadClip(import.meta.filename, aacForm(1)), {
    code: "codecUnavailable",
  });
});

test("only the flags that load sources are passed on", () => {
  const args = ["--import", "tsx", "--test", "--import=./x.mjs", "--inspect", "--require", "y.cjs"];
  assert.deepEqual(loaderFlags(args), [
    "--import",
    "tsx",
    "--import=./x.mjs",
    "--require",
    "y.cjs",
  ]);
});
