import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/debug/metrics.ts';

it('the text is built once for all who ask in one iteration of the event loop, and anew in the next', async () => {
  const metrics = createMetrics({ lostLines: 0 });
  const texts = new Set<Promise<string>>();
  for (let asked = 0; asked < 700; asked += 1) texts.add(metrics.text());
  expect(texts.size).toBe(1);
  metrics.count('gatehouse_xds_nacks_total');
  await setImmediate();
  expect(await metrics.text()).toMatch(/^gatehouse_xds_nacks_total.* 1$/m);
});
