import { Counter, collectDefaultMetrics, type Registry } from 'prom-client';
import type { LogLosses } from '../edges.ts';

/** Metrics of prom-client that walk over every connection, timer and request of the process, each anew. */
const walking = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/**
 * Registers the metrics of Node and of the process, but for those that cost the more the more connections are open: a
 * scrape beside ten thousand of them took 50 ms of the event loop. `process_open_fds` counts them, too. A log that loses lines
 * cannot say so itself.
 */
export function registerProcessMetrics(registry: Registry, losses: LogLosses): void {
  collectDefaultMetrics({ register: registry });
  for (const name of walking) registry.removeSingleMetric(name);
  new Counter({
    name: 'gatehouse_log_lines_lost_total',
    help: 'Lines of the log that were dropped, because nobody read standard error, or its disk was full.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(losses.lostLines);
    },
  });
}
