import { describe, expect, it } from 'vitest';
import { PendingBatches, pendingOf } from '../../../src/source/files/pending-batches.ts';
import type { ResourceChange } from '../../../src/source/model.ts';

const gone = (key: string, replaces?: number): ResourceChange => ({
  kind: 'Service',
  key,
  resource: undefined,
  ...(replaces !== undefined && { replaces }),
});

/** Batches of one file each, by its name, with so many objects of its own. */
function pending(...batches: readonly (readonly [file: string, objects: number])[]) {
  const waiting = new PendingBatches();
  const add = (file: string, objects: number): void => {
    const changes = Array.from({ length: objects }, (_, at) => gone(`${file}-${at}`));
    waiting.add(pendingOf({ changes, files: new Set([file]), synced: true }));
  };
  for (const [file, objects] of batches) add(file, objects);
  const filesOf = (batch: ReturnType<PendingBatches['takeSmall']>): readonly string[] => [...(batch?.files ?? [])];
  return { waiting, add, small: () => filesOf(waiting.takeSmall()), smallest: () => filesOf(waiting.takeSmallest()) };
}

describe('batches that wait', () => {
  it('are joined when they have a file or an object in common, also by one that has something of both', () => {
    const { waiting, add } = pending(['a', 2], ['b', 2], ['c', 2]);
    add('a', 3);
    const changes = [gone('b-0', 7), gone('c-1')];
    waiting.add(pendingOf({ changes: [gone('b-0', 9)], files: new Set(['b']), synced: true }));
    waiting.add(pendingOf({ changes, files: new Set(['d']), synced: true, unlistedNamespaces: 'unknown' }));
    const first = waiting.takeSmallest();
    expect([...(first?.files ?? [])]).toEqual(['a']);
    expect(first?.changes.size).toBe(3);
    const second = waiting.takeSmallest();
    expect(second?.files).toEqual(new Set(['b', 'c', 'd']));
    expect(second?.changes.get('Service b-0')?.replaces, 'what it was before all of them').toBe(9);
    expect(second?.rest).toEqual({ synced: true, unlistedNamespaces: 'unknown' });
    expect(waiting.takeSmallest()).toBeUndefined();
  });

  it('are taken together as far as they are one part', () => {
    const { small } = pending(['a', 150], ['b', 300], ['c', 101], ['d', 100]);
    expect(small()).toEqual(['a', 'd']);
    expect(small()).toEqual(['c']);
    expect(small()).toEqual([]);
  });

  it('are passed by smaller ones a few times only', () => {
    const { add, smallest } = pending(['large', 16_000]);
    const order: string[] = [];
    for (let at = 0; at < 8; at += 1) {
      add(`f${at}`, 1_000);
      order.push(...smallest());
    }
    expect(order).toEqual(['f0', 'f1', 'f2', 'f3', 'large', 'f4', 'f5', 'f6']);
  });
});
