/** What nodes write into the bucket for each other, as JSON: a lease each, and what they carry. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Brand } from "../base/brand.ts";

/** One life of one node: another after every start. */
export type NodeId = Brand<string, "NodeId">;
/** What a node carries. */
export type Kind = "stream" | "push" | "call";
/** As REST shows it. */
export type RestObject = Readonly<Record<string, unknown>>;

const MAX_TEXT = 4096;
const text = z.string().max(MAX_TEXT);
const address = text.nullable();
const count = z.number().int().min(0);
const nodeId = z
  .string()
  .regex(/^[a-z0-9]{8,64}$/)
  .transform((id) => id as NodeId);

const lease = z.object({
  node: nodeId,
  /** For people. */
  name: text,
  /** Base URL of REST, WHIP and previews; null when nobody outside can reach it. */
  http: address,
  ws: address,
  streams: count,
  pushes: count,
  /** Streams that it would take; 0 while it drains. */
  room: count,
  draining: z.boolean(),
});

const carried = z.object({
  node: nodeId,
  kind: z.enum(["stream", "push", "call"]),
  /** Name of the stream, id of the push or call. */
  id: text,
  view: z.record(z.string(), z.unknown()),
});

export type Lease = z.output<typeof lease>;
export type Carried = z.output<typeof carried>;

/** Longest value that is looked at: a view with an URL and what a caller wants to find again. */
const MAX_VALUE = 1 << 18;
const LEASES = "node.";

export const leaseKey = (node: NodeId): string => `${LEASES}${node}`;
export const isLeaseKey = (key: string): boolean => key.startsWith(LEASES);
export const nodeOfLease = (key: string): NodeId => key.slice(LEASES.length) as NodeId;

/** Names may hold any letter and keys may not: they go by their hash. */
export const keyOf = (kind: Kind, id: string): string =>
  `${kind}.${createHash("sha256").update(id).digest("base64url")}`;

/** Undefined for what is no lease. */
export const readLease = (value: string): Lease | undefined => read(lease, value);

/** Undefined for what cannot stand under `key`. */
export function readCarried(key: string, value: string): Carried | undefined {
  const record = read(carried, value);
  return record !== undefined && keyOf(record.kind, record.id) === key ? record : undefined;
}

function read<S extends z.ZodType>(schema: S, value: string): z.output<S> | undefined {
  if (value.length > MAX_VALUE) return undefined;
  try {
    return schema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
