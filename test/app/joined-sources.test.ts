import { expect, it } from 'vitest';
import { joinedSources } from '../../src/app/app.ts';
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
