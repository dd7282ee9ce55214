import { Counter, Gauge, type Registry } from "prom-client";
import type { Declared } from "./metrics-table.ts";

export type Labels = Readonly<Record<string, string>>;

/** Gauges that are written anew for every scrape. */
export class Gauges<Name extends string> {
  readonly #gauges = new Map<Name, Gauge>();
  readonly #table: Readonly<Record<Name, Declared>>;
  readonly #chosen = new Map<string, number>();

  constructor(table: Readonly<Record<Name, Declared>>, registry: Registry) {
    this.#table = table;
    const registers = [registry];
    for (const [name, { help, labels = [] }] of Object.entries<Declared>(table)) {
      this.#gauges.set(name as Name, new Gauge({ name, help, labelNames: labels, registers }));
    }
  }

  reset(): void {
    for (const gauge of this.#gauges.values()) gauge.reset();
    this.#chosen.clear();
  }

  set(name: Name, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** Joins `value` with what others with these labels gave, as the table says; undefined gives nothing. */
  join(name: Name, value: number | undefined, labels: Labels = {}): void {
    if (value === undefined) return;
    const { fold = "sum" } = this.#table[name];
    if (fold === "sum") this.#gauges.get(name)?.inc(labels, value);
    else this.#choose(name, value, labels);
  }

  #choose(name: Name, value: number, labels: Labels): void {
    const key = [name, ...Object.values(labels)].join(" ");
    const before = this.#chosen.get(key) ?? value;
    const better = this.#table[name].fold === "min" ? Math.min : Math.max;
    const chosen = better(before, value);
    this.#chosen.set(key, chosen);
    this.set(name, chosen, labels);
  }
}

/** Counters fed with the totals that others keep, so that the sum outlives its owners. */
export class Counters<Name extends string> {
  readonly #counters = new Map<Name, Counter>();
  readonly #labelled = new Map<
    string,
    Map<string, { readonly name: Name; readonly labels: Labels }>
  >();
  #before = new Map<string, number>();
  #seen = new Map<string, number>();

  constructor(table: Readonly<Record<Name, Declared>>, registry: Registry) {
    const registers = [registry];
    for (const [name, { help, labels = [] }] of Object.entries<Declared>(table)) {
      this.#counters.set(name as Name, new Counter({ name, help, labelNames: labels, registers }));
    }
  }

  /** Call after each scrape: owners that were not seen are forgotten. */
  settle(): void {
    this.#before = this.#seen;
    this.#seen = new Map();
  }

  /** Adds what `owner`'s own counter grew since the last scrape. */
  grow(name: Name, owner: string, value: number, labels: Labels = {}): void {
    const key = [name, owner, ...Object.values(labels)].join(" ");
    const growth = Math.max(0, value - (this.#before.get(key) ?? 0));
    this.#seen.set(key, value);
    this.#counters.get(name)?.inc(labels, growth);
  }

  /** As `grow`, for a series that `remove(label)` ends. */
  growOf(label: string, name: Name, owner: string, value: number, labels: Labels): void {
    this.grow(name, owner, value, labels);
    const series = this.#labelled.get(label) ?? new Map();
    series.set([name, ...Object.values(labels)].join(" "), { name, labels });
    this.#labelled.set(label, series);
  }

  /** One more. */
  add(name: Name, labels: Labels = {}): void {
    this.#counters.get(name)?.inc(labels, 1);
  }

  remove(label: string): void {
    for (const { name, labels } of this.#labelled.get(label)?.values() ?? []) {
      this.#counters.get(name)?.remove(labels);
    }
    this.#labelled.delete(label);
  }
}
