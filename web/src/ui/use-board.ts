import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { announcement } from "../model/announce.ts";
import { type Board, type BoardAction, EMPTY_BOARD, reduceBoard } from "../model/board.ts";
import { type FeedStatus, openFeed } from "../server/feed.ts";

export interface BoardHandle {
  readonly board: Board;
  readonly status: FeedStatus;
  /** What a screen reader is to say. */
  readonly spoken: string;
  change(action: BoardAction): void;
}

/** Follows the server; `round` begins anew when it changes, with another token for example. */
export function useBoard(ownRtmpUrl: string | null, round: number): BoardHandle {
  const [board, change] = useReducer(reduceBoard, EMPTY_BOARD);
  const [status, setStatus] = useState<FeedStatus>("connecting");
  const [spoken, setSpoken] = useState("");
  const latest = useRef(board);
  latest.current = board;
  // A new round opens a new connection.
  useEffect(
    () =>
      openFeed({
        onEvent: (event) => {
          const words = announcement(latest.current, event, ownRtmpUrl);
          if (words !== undefined) setSpoken(words);
          change({ event, now: Date.now() });
        },
        onStatus: setStatus,
      }),
    [ownRtmpUrl, round],
  );
  return { board, status, spoken, change };
}
