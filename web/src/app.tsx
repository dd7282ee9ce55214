import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import {
  loadConfig,
  type PageConfig,
  type PushWish,
  type Refusal,
  startPush,
} from "./server/api.ts";
import { hasCredentials } from "./server/token.ts";
import { type Desk, DeskContext } from "./ui/desk.ts";
import { EndedList } from "./ui/ended-list.tsx";
import { Now, useClock } from "./ui/now.ts";
import { PageHeader } from "./ui/page-header.tsx";
import { PushForm } from "./ui/push-form.tsx";
import { StreamBoard } from "./ui/stream-board.tsx";
import { failedPushes } from "./ui/stream-card.tsx";
import { Studio } from "./ui/studio.tsx";
import { Toast } from "./ui/toast.tsx";
import { TokenForm } from "./ui/token-form.tsx";
import { type BoardHandle, useBoard } from "./ui/use-board.ts";

/** Pushes that this page started, and what it asked for. */
function useStarted() {
  const wishes = useRef(new Map<string, PushWish>());
  const [watched, setWatched] = useState<ReadonlySet<string>>(new Set());
  const start = async (wish: PushWish): Promise<void> => {
    const id = await startPush(wish);
    wishes.current.set(id, wish);
    setWatched((before) => new Set([...before, id]));
  };
  return { start, watched, wishOf: (id: string) => wishes.current.get(id) };
}

interface MainProps {
  readonly config: PageConfig;
  readonly handle: BoardHandle;
  readonly onProblem: (message: string) => void;
}

function Main({ config, handle, onProblem }: MainProps) {
  const { board, change } = handle;
  const [stream, setStream] = useState<string>();
  const { start, watched, wishOf } = useStarted();
  const desk: Desk = {
    config,
    board,
    start,
    wishOf,
    act: (action) => {
      action.catch((error: Error) => onProblem(error.message));
    },
    dismiss: (id) => change({ dismiss: id }),
    dismissAll: () => change({ dismissAll: true }),
    compose: (name) => {
      setStream(name);
      document.getElementById("platform")?.focus();
    },
  };
  const inCards = useMemo(
    () => new Set([...board.streams.keys()].flatMap((id) => failedPushes(board.ended, id))),
    [board.streams, board.ended],
  );
  const over = board.ended.filter(({ kind, view }) => kind === "stream" || !inCards.has(view));
  return (
    <DeskContext.Provider value={desk}>
      <main class={handle.status === "lost" ? "stale" : ""}>
        <div class="desk">
          <Studio onLive={setStream} />
          <PushForm stream={stream} onStream={setStream} />
        </div>
        <div class="wall">
          <StreamBoard watched={watched} />
          <EndedList entries={over} />
        </div>
      </main>
    </DeskContext.Provider>
  );
}

export function App() {
  const [config, setConfig] = useState<PageConfig>();
  const [problem, setProblem] = useState<string>();
  const [round, setRound] = useState(0);
  const handle = useBoard(config?.ownRtmpUrl ?? null, round);
  const locked = handle.status === "unauthorized";
  const now = useClock();
  // Asked again with every token, because a token may open what was closed.
  useEffect(() => {
    loadConfig().then(setConfig, (reason: Refusal) => setProblem(reason.message));
  }, [round]);
  return (
    <Now.Provider value={now}>
      <a class="skip" href="#streams">
        Skip to the live streams
      </a>
      <PageHeader status={handle.status} server={locked ? undefined : handle.board.server} />
      {locked && (
        <TokenForm
          key={`${round} ${config?.restAuth}`}
          ways={config?.restAuth ?? []}
          refused={hasCredentials()}
          onEntered={() => setRound(round + 1)}
        />
      )}
      {!locked && config !== undefined && (
        <Main config={config} handle={handle} onProblem={setProblem} />
      )}
      <p class="visually-hidden" role="status">
        {handle.spoken}
      </p>
      <Toast
        lost={handle.status === "lost"}
        problem={problem}
        onDismiss={() => setProblem(undefined)}
      />
    </Now.Provider>
  );
}
