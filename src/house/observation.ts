/** What can be seen of the server from outside: events and metrics. */
import { EventFeed } from "../api/events/event-feed.ts";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import { feedFigures, feedSnapshot } from "../control/feed-figures.ts";
import type { Figures } from "../observe/figures.ts";
import { Metrics } from "../observe/metrics.ts";
import { systemClock } from "../observe/system-clock.ts";
import { redactRtmpUrl } from "../protocol/rtmp/url.ts";
import type { Settings } from "../settings/schema.ts";
import type { Services } from "./services.ts";

/** The services, and the other nodes if there are any. */
export type Seen = Services & { readonly cluster: ClusterNode | undefined };

export function openEvents(settings: Settings, services: Services): EventFeed {
  const { journal, registry, pool, health } = services;
  const { wallNow } = systemClock;
  return new EventFeed(
    {
      maxClients: settings.events_max_clients,
      maxWaitingBytes: settings.events_max_waiting_bytes,
    },
    {
      journal,
      snapshot: () => feedSnapshot(registry, wallNow()),
      figures: () =>
        feedFigures(
          {
            registry,
            workers: pool.stats().map(({ stats }) => stats),
            health: (push) => health.of(push),
          },
          wallNow(),
        ),
    },
  );
}

/** Undefined when nobody may see them. `sessions` counts WebSDK clients. */
export function openMetrics(
  settings: Settings,
  services: Seen,
  events: EventFeed,
  sessions: () => number,
): Metrics | undefined {
  if (!settings.metrics_enabled) return undefined;
  const options = { maxSeries: settings.metrics_max_series };
  const metrics = new Metrics(options, () => figures(services, events, sessions()));
  services.journal.read((change) => {
    const view = change.kind === "stream" ? change.stream : change.push;
    if (view.reason !== null) metrics.ended(change.kind, view.reason.code);
  });
  return metrics;
}

function figures(services: Seen, events: EventFeed, sessions: number): Figures {
  const { registry, pool, webhooks, readiness, health } = services;
  return {
    players: registry.players.length,
    sessions,
    ready: readiness.status === "ready",
    streams: registry.streams.map(({ session, name }) => ({ id: session, name })),
    pushes: registry.pushes.map((push) => ({
      id: push.id,
      source: push.source,
      destination: redactRtmpUrl(push.rtmpUrl),
      state: push.state.kind,
      health: health.of(push).score,
    })),
    workerDeaths: pool.deaths,
    workers: pool.stats(),
    events: { clients: events.clients, disconnected: events.disconnected },
    cluster: services.cluster?.figures,
    webhooks: webhooks && { waiting: webhooks.waiting, counts: { ...webhooks.counts } },
  };
}
