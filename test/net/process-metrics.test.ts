import { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { registerProcessMetrics } from '../../src/net/process-metrics.ts';

it('a scrape has the metrics of the process, and walks over no connections', async () => {
  const spies = (['getActiveResourcesInfo', '_getActiveHandles'] as const).map((name) =>
    vi.spyOn(process as typeof process & { _getActiveHandles(): unknown[] }, name),
  );
  onTestFinished(() => void vi.restoreAllMocks());
  const registry = new Registry();
  registerProcessMetrics(registry, { lostLines: 3 });
  const text = await registry.metrics();
  expect(text).toMatch(/^gatehouse_log_lines_lost_total 3$/m);
  expect(text).toMatch(/^process_open_fds \d+$/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
});
