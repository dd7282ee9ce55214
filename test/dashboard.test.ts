import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Figures } from "../src/observe/figures.ts";
import { Metrics } from "../src/observe/metrics.ts";
import * as tables from "../src/observe/metrics-table.ts";
import { PROJECT_ROOT } from "./support/server.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const FILE = join(PROJECT_ROOT, "docs", "grafana-dashboard.json");
const dashboard = JSON.parse(readFileSync(FILE, "utf8")) as {
  readonly panels: readonly Panel[];
};
const { renderMetricsPage: _page, ...declared } = tables;

const EMPTY: Figures = {
  players: 0,
  sessions: 0,
  ready: true,
  streams: [],
  pushes: [],
  workerDeaths: 0,
  workers: [],
  events: { clients: 0, disconnected: 0 },
  webhooks: undefined,
  cluster: undefined,
};

test("the dashboard asks only for metrics and labels that exist", async () => {
  const runtime = await new Metrics({ maxSeries: 1 }, () => EMPTY).render();
  const own = new Map(
    Object.values(declared).flatMap((table) =>
      Object.entries<tables.Declared>(table).map(([name, { labels = [] }]) => [name, labels]),
    ),
  );
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length > 20);
  for (const query of queries) {
    const metrics = [
      ...query.matchAll(/\b((?:transponder|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g),
    ];
    assert.ok(metrics.length > 0, query);
    for (const [, name = "", selector = ""] of metrics) {
      const labels = own.get(name);
      if (labels === undefined) assert.match(runtime, new RegExp(`^# TYPE ${name} `, "m"), name);
      const chosen = [...selector.matchAll(/(\w+)=~?"/g)].map(([, label = ""]) => label);
      const given = ["instance", "job", ...(labels ?? [])];
      for (const label of chosen) assert.ok(given.includes(label), `${name}{${label}}`);
    }
  }
});

test("no two panels share an id, and none is without a title", () => {
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { title } of dashboard.panels) assert.notEqual(title, "");
});
