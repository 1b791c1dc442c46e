import { expect, it } from 'vitest';
import { EntryOrder, ScanQueue, wholeRoot } from '../../../../src/source/files/watch/scan-queue.ts';

const orderOf = (...names: readonly string[]): EntryOrder => {
  const order = new EntryOrder();
  order.add(names);
  return order;
};

it('what is left of a scan is told apart from what was requested meanwhile', () => {
  const queue = new ScanQueue();
  for (const entry of ['new', 'left over', 'newer']) queue.add(0, entry);
  queue.addLeft(0, orderOf('left over', 'too'));
  queue.addLeft(1, orderOf());
  const names = new Set(['new', 'left over', 'newer']);
  expect(queue.take()).toEqual([[0, { all: false, left: orderOf('left over', 'too'), names }]]);
  expect(queue.take()).toEqual([]);
});

it('what is left, and what has changed, is known when the whole root is to be scanned, and few entries come first', () => {
  const queue = new ScanQueue();
  queue.addAll(2);
  queue.addLeft(0, orderOf('left over'));
  queue.add(0, 'new');
  queue.add(2, 'few');
  expect(queue.take()).toEqual([
    [2, { all: false, names: new Set(['few']) }],
    [0, { all: true, left: orderOf('left over'), names: new Set(['new']) }],
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

const counts = (name: string): boolean => name.startsWith('c');

it('entries that count already come first, those of the scan before before others, and do not keep out what is new', () => {
  const few = new EntryOrder();
  few.add(['n2', 'c2', 'n1'], counts);
  few.add(['n0', 'c1', 'c2', 'a'], counts);
  expect(few.take(4)).toEqual(['c2', 'c1', 'n1', 'n2']);
  expect([few.size, few.take(4), few.take(4)]).toEqual([2, ['a', 'n0'], []]);
  const many = orderOf('n1', 'n2');
  many.add(
    Array.from({ length: 200 }, (_, index) => `c${index}`),
    counts,
  );
  const ordered = many.take(1_000);
  expect([ordered.indexOf('n1'), ordered.indexOf('n2'), ordered.length]).toEqual([64, 129, 202]);
});

it('entries that wait cost nothing when others come', () => {
  let asked = 0;
  const order = new EntryOrder();
  const ask = (name: string): boolean => {
    asked += 1;
    return counts(name);
  };
  order.add(
    Array.from({ length: 10_000 }, (_, index) => `n${index}`),
    ask,
  );
  order.add(['c', 'n5'], ask);
  expect([asked, order.size, order.take(1)]).toEqual([10_001, 10_001, ['c']]);
  order.keep((name) => name === 'n7');
  expect([...order]).toEqual(['n7']);
});
