/** The connection to the other nodes, as the cluster needs it. */
import type { Bucket, Entry } from "./bucket.ts";
import type { NodeId } from "./records.ts";

/** What REST answers. */
export interface Answer {
  readonly status: number;
  /** JSON, or empty. */
  readonly body: string;
}

/** An operation of REST for another node. */
export interface Asked {
  /** Below `/rest-api`. */
  readonly path: string;
  /** JSON. */
  readonly body: string;
}

export interface LinkHandlers {
  /** Contact begins: every entry follows, then `onReady`. */
  onContact(): void;
  /** `fresh`: written just now. */
  onEntry(entry: Entry, fresh: boolean): void;
  onReady(): void;
  onLost(): void;
  /** Another node wants something done here. Never rejects. */
  onAsked(asked: Asked): Promise<Answer>;
}

/** Keeps trying for ever; `bucket.ready` says how it stands. */
export interface Link extends Bucket {
  /** Begins. `lease` is written first whenever contact begins. */
  open(handlers: LinkHandlers, lease: () => Entry["value"]): void;
  /** Rejects with `Failure`: `nodeTimeout`, `clusterUnreachable`, `badRequest` when it is too long. */
  ask(node: NodeId, asked: Asked): Promise<Answer>;
  /** Ends; removes this node's lease before if that can be done. */
  close(): Promise<void>;
  /** Writes to the bucket by what became of them. */
  readonly writes: Readonly<Record<"written" | "refused" | "failed", number>>;
}
