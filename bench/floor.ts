/**
 * What the server costs beside its parts, in one run: the WebRTC library that receives the same publishers and
 * counts their packets, the decoder and the encoder that turn the same sound into AAC, and a socket that sends the
 * same tags to the same destination. Publishers and destination are not counted. The parts run one after the other,
 * then together, because a machine that is busier needs more CPU for the same, and at last at the same time as the
 * server. With --opus also the server whose destinations take Opus.
 * Usage: npm run bench -- floor [--streams N] [--seconds S] [--rounds R] [--channels 1|2] [--opus]
 */
import { parseArgs } from "node:util";
import {
  floorRound,
  type PartShares,
  type Shares,
  sumOf,
  type WholeShares,
} from "./support/floor/round.ts";
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
const partRow = (figure: (parts: PartShares) => number): string[] => [
  percent(({ alone }) => figure(alone)),
  percent(({ together }) => figure(together)),
  percent(({ beside }) => figure(beside.parts)),
];
const wholeRow = (figure: (whole: WholeShares) => number): string[] => {
  const same = percent(({ whole }) => figure(whole));
  return [same, same, percent(({ beside }) => figure(beside.whole))];
};
const ratio = (figure: (round: Shares) => number): string => median(figure).toFixed(2);
const passed = [
  ["Opus passed: workers", percent((round) => round.passed?.worker ?? 0), "", ""],
  ["Opus passed: codec processes", percent((round) => round.passed?.codec ?? 0), "", ""],
  ["Opus passed: server", percent((round) => round.passed?.all ?? 0), "", ""],
];
console.log(
  table(
    [
      "CPU a stream",
      "parts one after the other",
      "parts together",
      "parts and server at the same time, half the streams each",
    ],
    [
      ["WebRTC library, packets counted", ...partRow(({ ingest }) => ingest)],
      ["Opus decoder and AAC encoder", ...partRow(({ audio }) => audio)],
      ["tags to a socket", ...partRow(({ send }) => send)],
      ["sum of the parts", ...partRow(sumOf)],
      ["server: worker", ...wholeRow(({ worker }) => worker)],
      ["server: codec processes", ...wholeRow(({ codec }) => codec)],
      ["server: control", ...wholeRow(({ control }) => control)],
      ["server", ...wholeRow(({ all }) => all)],
      ...(plan.opus ? passed : []),
      [
        "server / sum of the parts",
        ratio(({ whole, alone }) => whole.all / sumOf(alone)),
        ratio(({ whole, together }) => whole.all / sumOf(together)),
        ratio(({ beside }) => beside.whole.all / sumOf(beside.parts)),
      ],
    ],
  ),
);
