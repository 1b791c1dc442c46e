import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const entry = fileURLToPath(new URL('../support/work/measure-parsers.ts', import.meta.url));

/** How much more work a text of twice the length may be. 2 is linear, 4 is quadratic; the same for each of 200 texts. */
const linear = 2.3;

it('every parser of text from outside does twice the work for runs of twice the length, of any character', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [entry]);
  const works: Readonly<Record<string, readonly [number, number]>> = JSON.parse(stdout);
  const growth = Object.entries(works).map(([name, [once, twice]]) => ({ name, factor: twice / once }));
  const controls = growth.filter(({ name }) => name.startsWith('control'));
  const parsers = growth.filter(({ name }) => !name.startsWith('control'));
  expect(controls.map(({ factor }) => factor > 3)).toEqual([true, true]);
  expect(parsers.length).toBeGreaterThan(40);
  expect(parsers.filter(({ factor }) => !(factor < linear))).toEqual([]);
});
