/** Operations of REST that concern what other nodes carry: handed to them, or answered from what is known. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ClusterNode } from "../../cluster/cluster-node.ts";
import type { Answer } from "../../cluster/link.ts";
import type { Kind, NodeId, RestObject } from "../../cluster/records.ts";
import { fail } from "../../contract/failures.ts";
import { readBody } from "./body.ts";
import { callFindBody, callStartupBody } from "./call-schemas.ts";
import { matchesCall, matchesPush, matchesStream } from "./carried-filter.ts";
import type { LocalRest } from "./local-rest.ts";
import { OPERATIONS } from "./operations.ts";
import { findBody, streamFindBody, streamTerminateBody } from "./schemas.ts";

interface Asking {
  readonly cluster: ClusterNode;
  readonly local: LocalRest;
  /** Below `/rest-api`. */
  readonly path: string;
  readonly body: unknown;
}

/** Undefined leaves the operation to this node. */
type Plan = (asking: Asking) => Promise<Answer | undefined>;

const textOf = ({ body }: Asking): string => JSON.stringify(body ?? {});

/** Run by the node that carries what `field` of the body names. */
const byCarrier =
  (kind: Kind, field: string): Plan =>
  async (asking) => {
    const { cluster, path, body } = asking;
    const id = (body as Readonly<Record<string, unknown>> | null | undefined)?.[field];
    if (typeof id !== "string") return undefined;
    const carrier = await cluster.carrier(kind, id);
    return carrier && cluster.ask(carrier.node, { path, body: textOf(asking) });
  };

type Found = ReturnType<ClusterNode["elsewhere"]>;

/** This node's own and what is known of the others'. */
const everywhere =
  <S extends z.ZodType>(
    kind: Kind,
    schema: S,
    matches: (view: RestObject, filter: z.output<S>) => boolean,
    refresh: (found: Found, asking: Asking) => Promise<RestObject[]> = async (found) =>
      found.map(({ view }) => view),
  ): Plan =>
  async (asking) => {
    const filter = readBody(schema, asking.body);
    const known = asking.cluster.elsewhere(kind).filter(({ view }) => matches(view, filter));
    if (known.length === 0) return undefined;
    const [own, found] = await Promise.all([
      asking.local.run({ path: asking.path, body: textOf(asking) }),
      refresh(known, asking),
    ]);
    if ((own.status !== 200 && own.status !== 404) || found.length === 0) return own;
    const here = own.status === 200 ? (JSON.parse(own.body) as unknown[]) : [];
    return { status: 200, body: JSON.stringify([...here, ...found]) };
  };

/** Few enough nodes are asked what their own looks like now. */
const MOST_ASKED = 8;

/** What does not change the state, such as measured figures, only the node itself knows. */
async function fresh(found: Found, asking: Asking): Promise<RestObject[]> {
  const nodes = [...new Set(found.map(({ node }) => node))];
  const known = (items: Found): RestObject[] => items.map(({ view }) => view);
  if (nodes.length > MOST_ASKED) return known(found);
  const ask = async (node: NodeId): Promise<RestObject[]> => {
    const { path } = asking;
    const answer = await asking.cluster.ask(node, { path, body: textOf(asking) }).catch(noAnswer);
    if (answer.status === 404) return [];
    if (answer.status === 200) return JSON.parse(answer.body) as RestObject[];
    return known(found.filter((one) => one.node === node));
  };
  const all = await Promise.all(nodes.map(ask));
  return all.flat();
}

const noAnswer = (): Answer => ({ status: 504, body: "" });

/** Run by every node that carries a stream which matches. */
const terminateStreams: Plan = async (asking) => {
  const filter = readBody(streamTerminateBody, asking.body);
  const { cluster, local, path } = asking;
  const found = cluster.elsewhere("stream").filter(({ view }) => matchesStream(view, filter));
  const nodes = new Set<NodeId>(found.map(({ node }) => node));
  if (nodes.size === 0) return undefined;
  const body = textOf(asking);
  const answers = await Promise.all([
    local.run({ path, body }),
    ...[...nodes].map((node) => cluster.ask(node, { path, body })),
  ]);
  return worst(answers);
};

/** A refusal that is none for want of something to do; else success, if anybody had it. */
function worst(answers: readonly Answer[]): Answer | undefined {
  const refused = answers.find(({ status }) => status >= 400 && status !== 404);
  return refused ?? answers.find(({ status }) => status < 400) ?? answers[0];
}

/** Ids of calls are the callers'. */
const startCall: Plan = async ({ cluster, body }) => {
  const { callId } = readBody(callStartupBody, body);
  const known = cluster.elsewhere("call").find(({ view }) => view["callId"] === callId);
  if (callId === undefined || known === undefined || hasEnded(known.view)) return undefined;
  throw fail("callExists", "callId: a call with this id is going on");
};

const hasEnded = (call: RestObject): boolean => call["reason"] !== null;

const PLANS: Readonly<Record<string, Plan>> = {
  [OPERATIONS.pushStartup.path]: byCarrier("stream", "streamName"),
  [OPERATIONS.pushFind.path]: everywhere("push", findBody, matchesPush, fresh),
  [OPERATIONS.pushFindAll.path]: everywhere("push", findBody, () => true),
  [OPERATIONS.pushTerminate.path]: byCarrier("push", "mediaSessionId"),
  [OPERATIONS.pushMute.path]: byCarrier("push", "mediaSessionId"),
  [OPERATIONS.pushUnmute.path]: byCarrier("push", "mediaSessionId"),
  [OPERATIONS.pushSoundOn.path]: byCarrier("push", "mediaSessionId"),
  [OPERATIONS.pushSoundOff.path]: byCarrier("push", "mediaSessionId"),
  [OPERATIONS.streamFind.path]: everywhere("stream", streamFindBody, matchesStream, fresh),
  [OPERATIONS.streamFindAll.path]: everywhere("stream", streamFindBody, () => true),
  [OPERATIONS.streamTerminate.path]: terminateStreams,
  [OPERATIONS.callStartup.path]: startCall,
  [OPERATIONS.callFind.path]: everywhere("call", callFindBody, matchesCall, fresh),
  [OPERATIONS.callFindAll.path]: everywhere("call", callFindBody, () => true),
  [OPERATIONS.callTerminate.path]: byCarrier("call", "callId"),
  [OPERATIONS.callSendDtmf.path]: byCarrier("call", "callId"),
};

const READ_ONLY = /\/(?:find|find_all|check)$/;

/** Before and after the operations that `rest` serves below `prefix`. */
export function clusterRoutes(
  rest: FastifyInstance,
  { cluster, local }: Pick<Asking, "cluster" | "local">,
  prefix: string,
): void {
  const pathOf = ({ routeOptions }: FastifyRequest): string =>
    routeOptions.url?.slice(prefix.length) ?? "";
  const handedOn = new WeakSet<FastifyRequest>();
  rest.addHook("preHandler", async (request, reply) => {
    const path = pathOf(request);
    const answer = await PLANS[path]?.({ cluster, local, path, body: request.body });
    if (answer === undefined) return;
    handedOn.add(request);
    reply.code(answer.status);
    if (answer.body !== "") reply.type("application/json; charset=utf-8");
    return reply.send(answer.body);
  });
  // Whoever gets the answer may ask another node next.
  rest.addHook("onSend", async (request, reply) => {
    const changed = reply.statusCode < 300 && !READ_ONLY.test(pathOf(request));
    if (changed && !handedOn.has(request)) await cluster.flush();
  });
}
