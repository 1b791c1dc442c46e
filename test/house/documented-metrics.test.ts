import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/debug/debug.ts';

it('docs/operating.md names every metric', async () => {
  const page = await readFile('docs/operating.md', 'utf8');
  const exposed = (await createMetrics().text()).matchAll(/^# TYPE (gatehouse_\w+)/gm);
  const names = Array.from(exposed, ([, name]) => name);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
