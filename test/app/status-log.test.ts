import { expect, it } from 'vitest';
import { logStatuses } from '../../src/app/status-log.ts';
import type { Commit } from '../../src/graph/model.ts';
import type { Translation } from '../../src/translate/model.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

/** A commit with so many policies that are accepted, and others that are not. */
function commitOf(accepted: number, refused: number): readonly [Translation, Commit] {
  const policyStatuses = {};
  const policy = (status: string) => (_: unknown, index: number) => ({
    after: {
      namespace: 'n',
      name: `${status}-${index}`,
      ancestors: [{ conditions: [{ type: 'Accepted', status, reason: 'Invalid', message: 'no' }] }],
    },
  });
  const changes = [
    ...Array.from({ length: accepted }, policy('True')),
    ...Array.from({ length: refused }, policy('False')),
  ];
  const commit = { changes: (of: unknown) => (of === policyStatuses ? changes : []) };
  return [{ policyStatuses } as unknown as Translation, commit as unknown as Commit];
}

it.each([
  [2, 3, 5, []],
  [20, 20, 40, []],
  [
    70,
    23,
    42,
    ['more objects are not accepted as written: /debug/problems lists them 3', 'more objects are accepted 50'],
  ],
])(
  '%i policies that are accepted and %i that are not have %i lines, of which %j',
  (accepted, refused, count, counted) => {
    const log = createRecordedLog();
    logStatuses(log, ...commitOf(accepted, refused));
    expect(log.lines).toHaveLength(count);
    const more = log.lines.filter(({ fields }) => fields['more'] !== undefined);
    expect(more.map(({ message, fields }) => `${message} ${fields['more']}`)).toEqual(counted);
  },
);
