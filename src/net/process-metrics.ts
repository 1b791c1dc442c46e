import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Metrics of prom-client that walk over every connection, timer and request of the process, each anew. */
const walking = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/**
 * Registers the metrics of Node and of the process, but for those that cost the more the more connections are open: a
 * scrape beside ten thousand of them took 50 ms of the event loop. `process_open_fds` counts them, too.
 */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of walking) registry.removeSingleMetric(name);
}
