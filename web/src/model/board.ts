/** Everything that is live, as the server's events tell it. Pure: events in, a new board out. */
import type {
  FeedEvent,
  PushFigures,
  PushView,
  ServerFigures,
  StreamFigures,
  StreamView,
} from "../server/views.ts";

/** Samples of a chart: two minutes, one a second. */
export const CHART_SAMPLES = 120;
/** Samples over which loss is measured. */
const LOSS_SAMPLES = 10;
const MAX_ENDED = 12;

export interface StreamEntry {
  readonly view: StreamView;
  readonly figures: StreamFigures | undefined;
  /** Bits per second of the last two minutes, the newest last. */
  readonly chart: readonly number[];
  /** Share of packets lost in the last seconds, 0..1; undefined before it was measured. */
  readonly loss: number | undefined;
  readonly packets: readonly PacketCount[];
}

interface PacketCount {
  readonly received: number;
  readonly lost: number;
}

export interface PushEntry {
  readonly view: PushView;
  readonly figures: PushFigures | undefined;
  readonly chart: readonly number[];
  /** When the next attempt is due, milliseconds of this browser's clock. */
  readonly retryAt: number;
}

/** Something that is over; the newest come first. */
export type EndedEntry =
  | { readonly kind: "stream"; readonly id: string; readonly at: number; readonly view: StreamView }
  | { readonly kind: "push"; readonly id: string; readonly at: number; readonly view: PushView };

export interface Board {
  /** Whether a snapshot has come. */
  readonly known: boolean;
  /** Milliseconds to add to this browser's clock to get the server's. */
  readonly clockOffset: number;
  readonly server: ServerFigures | undefined;
  readonly streams: ReadonlyMap<string, StreamEntry>;
  readonly pushes: ReadonlyMap<string, PushEntry>;
  readonly ended: readonly EndedEntry[];
}

export const EMPTY_BOARD: Board = {
  known: false,
  clockOffset: 0,
  server: undefined,
  streams: new Map(),
  pushes: new Map(),
  ended: [],
};

export type BoardAction =
  | { readonly event: FeedEvent; readonly now: number }
  | { readonly dismiss: string }
  | { readonly dismissAll: true };

/** The board after `action`; `now` is in milliseconds of this browser's clock. */
export function reduceBoard(board: Board, action: BoardAction): Board {
  if ("dismissAll" in action) return { ...board, ended: [] };
  if ("dismiss" in action) {
    return { ...board, ended: board.ended.filter(({ id }) => id !== action.dismiss) };
  }
  const { event, now } = action;
  if (event.kind === "snapshot") return withSnapshot(board, event, now);
  if (event.kind === "stream") return withStream(board, event.stream, now);
  if (event.kind === "push") return withPush(board, event.push, now);
  return withFigures(board, event, now);
}

type Of<K extends FeedEvent["kind"]> = Extract<FeedEvent, { kind: K }>;

/** What is not in it has ended unseen, while the connection was lost. */
function withSnapshot(board: Board, { at, streams, pushes }: Of<"snapshot">, now: number): Board {
  const emptied: Board = {
    ...board,
    known: true,
    clockOffset: at - now,
    streams: new Map(),
    pushes: new Map(),
  };
  const entries = {
    streams: new Map(streams.map((view) => [view.mediaSessionId, streamEntry(board, view)])),
    pushes: new Map(pushes.map((view) => [view.id, pushEntry(board, view, now)])),
  };
  return { ...emptied, ...entries };
}

function withStream(board: Board, view: StreamView, now: number): Board {
  const id = view.mediaSessionId;
  const streams = new Map(board.streams);
  if (view.state !== "ended") {
    streams.set(id, streamEntry(board, view));
    return { ...board, streams };
  }
  streams.delete(id);
  return ended({ ...board, streams }, { kind: "stream", id, at: now, view });
}

function withPush(board: Board, view: PushView, now: number): Board {
  const pushes = new Map(board.pushes);
  if (view.state !== "ended") {
    pushes.set(view.id, pushEntry(board, view, now));
    return { ...board, pushes };
  }
  pushes.delete(view.id);
  return ended({ ...board, pushes }, { kind: "push", id: view.id, at: now, view });
}

function ended(board: Board, entry: EndedEntry): Board {
  const others = board.ended.filter(({ id }) => id !== entry.id);
  return { ...board, ended: [entry, ...others].slice(0, MAX_ENDED) };
}

function streamEntry({ streams }: Board, view: StreamView): StreamEntry {
  const known = streams.get(view.mediaSessionId);
  const fresh = { figures: undefined, chart: [], loss: undefined, packets: [] };
  return { ...(known ?? fresh), view };
}

function pushEntry({ pushes }: Board, view: PushView, now: number): PushEntry {
  const known = pushes.get(view.id);
  const same = known?.view.state === view.state && known.view.attempt === view.attempt;
  const retryAt = same ? known.retryAt : now + view.delayMs;
  return { figures: undefined, chart: [], ...known, view, retryAt };
}

function withFigures(board: Board, figures: Of<"figures">, now: number): Board {
  const streams = mapValues(board.streams, (entry, id) => {
    const own = figures.streams[id];
    return own === undefined ? entry : measuredStream(entry, own);
  });
  const pushes = mapValues(board.pushes, (entry, id) => {
    const own = figures.pushes[id];
    return own === undefined ? entry : measuredPush(entry, own);
  });
  return { ...board, clockOffset: figures.at - now, server: figures.server, streams, pushes };
}

function measuredStream(entry: StreamEntry, figures: StreamFigures): StreamEntry {
  const count = { received: figures.packetsReceived, lost: figures.packetsLost };
  const packets = [...entry.packets, count].slice(-LOSS_SAMPLES);
  const [first = count] = packets;
  const lost = count.lost - first.lost;
  const all = lost + count.received - first.received;
  return {
    ...entry,
    figures,
    packets,
    chart: charted(entry.chart, figures.videoBitrate + figures.audioBitrate),
    loss: all > 0 ? lost / all : entry.loss,
  };
}

const measuredPush = (entry: PushEntry, figures: PushFigures): PushEntry => ({
  ...entry,
  figures,
  chart: charted(entry.chart, figures.bitrate),
});

const charted = (chart: readonly number[], value: number): readonly number[] =>
  [...chart, value].slice(-CHART_SAMPLES);

const mapValues = <V>(map: ReadonlyMap<string, V>, change: (value: V, key: string) => V) =>
  new Map([...map].map(([key, value]) => [key, change(value, key)]));
