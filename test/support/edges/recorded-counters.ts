import type { CounterName, Counters, GaugeName, HistogramName, Labels } from '../../../src/edges.ts';

/** Counters in memory; `total` sums the series whose labels contain the given ones. */
export interface RecordedCounters extends Counters {
  total(name: CounterName, labels?: Labels): number;
  level(name: GaugeName): number;
  /** All observed values, in order. */
  values(name: HistogramName): readonly number[];
}

export function createRecordedCounters(): RecordedCounters {
  const counts: { readonly name: CounterName; readonly labels: Labels; readonly by: number }[] = [];
  const gauges = new Map<GaugeName, number>();
  const observed: { readonly name: HistogramName; readonly value: number }[] = [];
  return {
    count: (name, labels = {}, by = 1) => void counts.push({ name, labels, by }),
    gauge: (name, value) => void gauges.set(name, value),
    observe: (name, value) => void observed.push({ name, value }),
    values: (name) => observed.filter((row) => row.name === name).map(({ value }) => value),
    level: (name) => gauges.get(name) ?? 0,
    total: (name, labels = {}) =>
      counts
        .filter((row) => row.name === name && Object.entries(labels).every(([key, value]) => row.labels[key] === value))
        .reduce((sum, { by }) => sum + by, 0),
  };
}
