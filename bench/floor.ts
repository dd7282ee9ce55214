/**
 * What the server costs beside its parts alone, in one run: the WebRTC library that receives the same
 * publishers and counts their packets, the decoder and the encoder that turn the same sound into AAC, and a
 * socket that sends the same tags to the same destination. Publishers and destination are not counted.
 * With --opus also the server whose destinations take Opus.
 * Usage: npm run bench -- floor [--streams N] [--seconds S] [--rounds R] [--channels 1|2] [--opus]
 */
import { parseArgs } from "node:util";
import { floorRound, type Shares } from "./support/floor/round.ts";
import { quantile, table } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "20" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "2" },
    channels: { type: "string", default: "2" },
    opus: { type: "boolean", default: false },
  },
});
const plan = {
  streams: Number(values.streams),
  seconds: Number(values.seconds),
  channels: values.channels === "1" ? 1 : 2,
  opus: values.opus,
} as const;
const rounds: Shares[] = [];
while (rounds.length < Number(values.rounds)) rounds.push(await floorRound(plan));

const median = (figure: (round: Shares) => number): number => quantile(rounds.map(figure), 0.5);
const percent = (figure: (round: Shares) => number): string => `${median(figure).toFixed(2)} %`;
const parts = (round: Shares): number => round.ingest + round.audio + round.send;
const passed = [
  ["Opus passed: workers", percent((round) => round.passed?.worker ?? 0)],
  ["Opus passed: codec processes", percent((round) => round.passed?.codec ?? 0)],
  ["Opus passed: server", percent((round) => round.passed?.all ?? 0)],
];
console.log(
  table(
    ["part alone", "CPU a stream"],
    [
      ["WebRTC library, packets counted", percent(({ ingest }) => ingest)],
      ["Opus decoder and AAC encoder", percent(({ audio }) => audio)],
      ["tags to a socket", percent(({ send }) => send)],
      ["sum", percent(parts)],
      ["all three side by side", percent(({ sideBySide }) => sideBySide)],
      ["all three in one process", percent(({ together }) => together)],
      ["server: workers", percent(({ whole }) => whole.worker)],
      ["server: codec processes", percent(({ whole }) => whole.codec)],
      ["server: control", percent(({ whole }) => whole.control)],
      ["server", percent(({ whole }) => whole.all)],
      ...(plan.opus ? passed : []),
      ["server / sum", median((round) => round.whole.all / parts(round)).toFixed(2)],
      [
        "server / side by side",
        median(({ whole, sideBySide }) => whole.all / sideBySide).toFixed(2),
      ],
      ["server / one process", median(({ whole, together }) => whole.all / together).toFixed(2)],
    ],
  ),
);
