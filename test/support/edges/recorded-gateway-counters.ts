import type { GatewayCounterName, GatewayCounters } from '../../../src/gateway/model.ts';

/** Counters of a gateway in memory; `total` sums the series whose labels contain the given ones. */
export interface RecordedGatewayCounters extends GatewayCounters {
  /** The methods of the requests to targets whose time was taken. */
  readonly timed: readonly string[];
  total(name: GatewayCounterName, labels?: Readonly<Record<string, string>>): number;
}

export function createRecordedGatewayCounters(): RecordedGatewayCounters {
  const counts: { readonly name: GatewayCounterName; readonly labels: Readonly<Record<string, string>> }[] = [];
  const timed: string[] = [];
  return {
    timed,
    targetRequestTook: (_, method) => void timed.push(method),
    count: (name, labels = {}) => void counts.push({ name, labels }),
    total: (name, wanted = {}) =>
      counts.filter(
        (row) => row.name === name && Object.entries(wanted).every(([key, value]) => row.labels[key] === value),
      ).length,
  };
}
