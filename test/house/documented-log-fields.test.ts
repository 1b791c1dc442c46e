import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loggedFields } from '../support/log-fields.ts';

/** Of the format, and fields whose names are computed. */
const others = new Set(['timestamp', 'level', 'message', 'namespace', 'caller']);

const page = readFileSync('docs/operating.md', 'utf8');
const section = /^## Log\n(.*?)^## /ms.exec(page)?.[1] ?? '';
const documented = new Set(
  Array.from(section.matchAll(/^\| (`[^|]*) \|/gm), ([, names = '']) => names.match(/[\w-]+/g) ?? []).flat(),
);
const logged = loggedFields('src');

it('docs/operating.md lists every field of the log', () => {
  expect(logged.size).toBeGreaterThan(40);
  const missing = [...logged].filter(([name]) => !documented.has(name) && !others.has(name));
  expect(Object.fromEntries(missing)).toEqual({});
});

it('docs/operating.md lists no field that nothing logs', () => {
  expect([...documented].filter((name) => !logged.has(name) && !others.has(name))).toEqual([]);
});
