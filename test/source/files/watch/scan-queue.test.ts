import { expect, it } from 'vitest';
import { inOrder, ScanQueue, wholeRoot } from '../../../../src/source/files/watch/scan-queue.ts';

it('what is left of a scan is told apart from what was requested meanwhile', () => {
  const queue = new ScanQueue();
  for (const entry of ['new', 'left over', 'newer']) queue.add(0, entry);
  queue.addLeft(0, ['left over', 'too']);
  queue.addLeft(1, []);
  const names = new Set(['new', 'left over', 'newer']);
  expect(queue.take()).toEqual([[0, { all: false, left: ['left over', 'too'], names }]]);
  expect(queue.take()).toEqual([]);
});

it('what is left, and what has changed, is known when the whole root is to be scanned, and few entries come first', () => {
  const queue = new ScanQueue();
  queue.addAll(2);
  queue.addLeft(0, ['left over']);
  queue.add(0, 'new');
  queue.add(2, 'few');
  expect(queue.take()).toEqual([
    [2, { all: false, left: [], names: new Set(['few']) }],
    [0, { all: true, left: ['left over'], names: new Set(['new']) }],
    [1, wholeRoot],
  ]);
});

it('more changes than are remembered have the whole root scanned', () => {
  const queue = new ScanQueue();
  queue.addChanged(0, new Set(Array.from({ length: 10_000 }, (_, index) => `${index}`)));
  queue.add(0, '5');
  expect(queue.take()).toMatchObject([[0, { all: false }]]);
  queue.addChanged(0, new Set(Array.from({ length: 10_001 }, (_, index) => `${index}`)));
  const [[, scope] = [0, wholeRoot]] = queue.take();
  expect([scope.all, scope.names.size]).toEqual([true, 10_000]);
});

it('entries that count already come first, those of the scan before before others, and do not keep out what is new', () => {
  const counts = (name: string): boolean => name.startsWith('c');
  const few = { all: false, left: ['n2', 'c2', 'n1'], names: new Set(['n0', 'c1', 'c2', 'a']) };
  expect(inOrder(few, counts)).toEqual(['c2', 'c1', 'n1', 'n2', 'a', 'n0']);
  const many = { all: false, left: [], names: new Set(Array.from({ length: 200 }, (_, index) => `c${index}`)) };
  const ordered = inOrder({ ...many, left: ['n1', 'n2'] }, counts);
  expect([ordered.indexOf('n1'), ordered.indexOf('n2'), ordered.length]).toEqual([64, 129, 202]);
});
