/**
 * What the server costs beside its parts alone, in one run: the WebRTC library that receives the same
 * publishers and counts their packets, the decoder and the encoder that turn the same sound into AAC, and a
 * socket that sends the same tags to the same destination. Publishers and destination are not counted.
 * At the end parts and server run at the same time, because a machine that is busier, or whose neighbours are, needs
 * more CPU for the same. With --opus also the server whose destinations take Opus.
 * Usage: npm run bench -- floor [--streams N] [--seconds S] [--rounds R] [--channels 1|2] [--opus]
 */
import { parseArgs } from "node:util";
import { floorRound, type Shares, sumOf } from "./support/floor/round.ts";
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
const both = (figure: (at: Shares["beside"]) => number): string[] => [
  percent(figure),
  percent(({ beside }) => figure(beside)),
];
const ratio = ({ parts, whole }: Shares["beside"]): number => whole.all / sumOf(parts);
const passed = [
  ["Opus passed: workers", percent((round) => round.passed?.worker ?? 0), ""],
  ["Opus passed: codec processes", percent((round) => round.passed?.codec ?? 0), ""],
  ["Opus passed: server", percent((round) => round.passed?.all ?? 0), ""],
];
console.log(
  table(
    ["CPU a stream", "one after the other", "at the same time, half the streams each"],
    [
      ["WebRTC library, packets counted", ...both(({ parts }) => parts.ingest)],
      ["Opus decoder and AAC encoder", ...both(({ parts }) => parts.audio)],
      ["tags to a socket", ...both(({ parts }) => parts.send)],
      ["sum of the parts", ...both(({ parts }) => sumOf(parts))],
      ["server: worker", ...both(({ whole }) => whole.worker)],
      ["server: codec processes", ...both(({ whole }) => whole.codec)],
      ["server: control", ...both(({ whole }) => whole.control)],
      ["server", ...both(({ whole }) => whole.all)],
      ...(plan.opus ? passed : []),
      [
        "server / sum of the parts",
        median(ratio).toFixed(2),
        median(({ beside }) => ratio(beside)).toFixed(2),
      ],
    ],
  ),
);
