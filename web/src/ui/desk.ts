import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Board } from "../model/board.ts";
import type { PageConfig, PushWish } from "../server/api.ts";

/** What most parts of the page need. */
export interface Desk {
  readonly config: PageConfig;
  readonly board: Board;
  /** Starts a push and remembers what was asked for, so that it can be asked again. */
  start(wish: PushWish): Promise<void>;
  /** What was asked for, when this page asked for it. */
  wishOf(pushId: string): PushWish | undefined;
  /** Runs an action; what the server refuses is shown. */
  act(action: Promise<unknown>): void;
  dismiss(id: string): void;
  dismissAll(): void;
  /** Takes a person to the form, with this stream chosen. */
  compose(streamName: string): void;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error("outside of the desk");
  return desk;
}
