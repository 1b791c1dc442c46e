import { expect, it } from 'vitest';
import { joinedSources, keyNeeds } from '../../src/app/app.ts';
import type { Batch } from '../../src/source/model.ts';

it('what issuers publish between two parts of a change does not make the first of them count', () => {
  const applied: unknown[] = [];
  const from = joinedSources(({ more, fetchedKeys }) =>
    applied.push([fetchedKeys === undefined ? 'input' : 'keys', more]),
  );
  const keys: Batch = { changes: [], fetchedKeys: [['https://issuer.example/', undefined]], synced: false };
  from.keys(keys);
  from.input({ changes: [], more: true, synced: false });
  from.keys(keys);
  from.input({ changes: [], synced: true });
  from.keys(keys);
  expect(applied).toEqual([
    ['keys', false],
    ['input', true],
    ['keys', true],
    ['input', undefined],
    ['keys', false],
  ]);
});

it('keys that one part of a change needs no more, and another one does, are not forgotten', () => {
  const told: unknown[] = [];
  const tell = keyNeeds((uri, needed) => told.push([uri, needed]));
  const needed = (key: string) => ({ key, after: key });
  const unneeded = (key: string) => ({ key, after: undefined });
  tell([needed('https://stays/')], false);
  tell([unneeded('https://stays/')], true);
  tell([needed('https://comes/')], true);
  expect(told).toEqual([['https://stays/', true]]);
  tell([needed('https://stays/')], undefined);
  tell([], undefined);
  // The fetcher has it already: nothing is fetched again.
  expect(told.slice(1)).toEqual([
    ['https://stays/', true],
    ['https://comes/', true],
  ]);
});
