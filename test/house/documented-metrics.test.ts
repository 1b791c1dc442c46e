import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { gatewayFlags } from '../../src/cli/flags/gateway-flags.ts';
import { serveFlags } from '../../src/cli/flags/serve-flags.ts';
import { createMetrics } from '../../src/debug/debug.ts';
import { createGatewayMetrics } from '../../src/gateway/admin/metrics.ts';
import { metricSources } from '../support/gateway/metric-sources.ts';

const read = (page: string): Promise<string> => readFile(page, 'utf8');

/** The names of all metrics that one of the programs exposes. */
async function exposedMetrics(): Promise<ReadonlySet<string>> {
  const text = (await createMetrics({ lostLines: 0 }).text()) + (await createGatewayMetrics(metricSources()).text());
  return new Set(Array.from(text.matchAll(/^# TYPE (gatehouse_\w+)/gm), ([, name = '']) => name));
}

it('docs/operating.md names every metric', async () => {
  const page = await read('docs/operating.md');
  const names = [...(await exposedMetrics())];
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it.each(['docs/limits.md', 'SECURITY.md', 'docs/operating.md'])(
  '%s names no metric that does not exist',
  async (page) => {
    const exposed = await exposedMetrics();
    const named = Array.from((await read(page)).matchAll(/`(gatehouse_\w+)/g), ([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !exposed.has(name))).toEqual([]);
  },
);

it.each(['docs/limits.md', 'SECURITY.md'])('%s names no flag that does not exist', async (page) => {
  const flags = new Set([...serveFlags, ...gatewayFlags].map(({ name }) => name));
  const named = Array.from((await read(page)).matchAll(/`(?:serve |gateway )?--([a-z-]+)/g), ([, name = '']) => name);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !flags.has(name))).toEqual([]);
});
