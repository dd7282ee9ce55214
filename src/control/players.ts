import type { Clock } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../contract/ids.ts";
import type { Reason, SessionState } from "../contract/messages.ts";
import type { Owner, PlayerRecord, Registry, SessionObserver, StreamRecord } from "./registry.ts";

/** Who wants to see which stream. */
export interface PlayerWish {
  readonly session: MediaSessionId;
  readonly name: StreamName;
  readonly owner: Owner;
}

/** The records of players: how many there may be, and what becomes of each. */
export class Players {
  readonly #registry: Registry;
  readonly #max: number;
  readonly #clock: Clock;

  constructor(registry: Registry, max: number, clock: Clock) {
    this.#registry = registry;
    this.#max = max;
    this.#clock = clock;
  }

  /** Throws `Failure` `tooMany`. */
  add(wish: PlayerWish, stream: StreamRecord, observer: SessionObserver): PlayerRecord {
    if (this.#registry.players.length >= this.#max) {
      throw fail("tooMany", `the limit of ${this.#max} players is reached`);
    }
    const player: PlayerRecord = {
      session: wish.session,
      name: wish.name,
      owner: wish.owner,
      observer,
      source: stream.session,
      worker: stream.worker,
      createdAt: this.#clock.wallNow(),
      state: "pending",
    };
    this.#registry.addPlayer(player);
    return player;
  }

  /** A worker tells about one of its players. */
  onState(session: MediaSessionId, state: SessionState): void {
    const player = this.#registry.player(session);
    if (player === undefined) return;
    if (state.kind === "ended") this.ended(player, state.reason);
    else if (player.state === "pending") {
      player.state = "live";
      player.observer.onLive();
    }
  }

  ended(player: PlayerRecord, reason: Reason): void {
    if (this.#registry.player(player.session) !== player) return;
    this.#registry.removePlayer(player.session);
    player.observer.onEnded(reason);
  }
}
