/** Who may have a stream's name: the whole rule, without any store. */
import type { Standing } from "./cluster-view.ts";
import type { Life } from "./lease-book.ts";
import type { NodeId } from "./records.ts";

export type Verdict =
  /** Free: write on top of this revision; whoever writes first has it. */
  | { readonly kind: "take"; readonly revision: number }
  /** This node's own claim stands. */
  | { readonly kind: "own"; readonly revision: number }
  /** Another node's claim stands. */
  | { readonly kind: "taken"; readonly by: NodeId; readonly life: "alive" | "unsure" };

/** `life` tells who lives. What a dead node claimed is free. */
export function judgeClaim(
  standing: Standing | undefined,
  self: NodeId,
  life: (node: NodeId) => Life,
): Verdict {
  if (standing === undefined) return { kind: "take", revision: 0 };
  const { revision, record } = standing;
  if (record === undefined) return { kind: "take", revision };
  if (record.node === self) return { kind: "own", revision };
  const holder = life(record.node);
  if (holder === "dead") return { kind: "take", revision };
  return { kind: "taken", by: record.node, life: holder };
}
