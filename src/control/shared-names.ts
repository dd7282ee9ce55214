import type { StreamName } from "../contract/ids.ts";
import type { StreamRecord } from "./registry.ts";

/** Who else decides over names of streams: the other nodes of a cluster. */
export interface SharedNames {
  /** Takes the name for this node. Rejects with `Failure` `streamNameInUse`. */
  claim(stream: StreamRecord): Promise<void>;
  release(stream: StreamRecord): void;
  /** Why a stream that is not here cannot be played here; undefined when no other node has it either. */
  elsewhere(name: StreamName): Error | undefined;
  /** Whether another node pushes something under this name, perhaps to here. */
  isPushed(name: StreamName): boolean;
}
