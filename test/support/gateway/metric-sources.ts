import type { MetricSources } from '../../../src/gateway/admin/metrics.ts';
import type { TargetState } from '../../../src/gateway/model.ts';

/** What the metrics of a gateway show that has these targets, and was not started. */
export function metricSources(targets: readonly (readonly [string, TargetState])[] = []): MetricSources {
  return {
    targets: () => targets,
    xds: () => ({ address: '', node: '', connection: { state: 'not started' }, kinds: [], lastGood: null }),
    sessions: () => 0,
    losses: { lostLines: 0 },
  };
}
