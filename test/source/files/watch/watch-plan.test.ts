import { expect, it } from 'vitest';
import { ScanQueue } from '../../../../src/source/files/watch/watch-plan.ts';

it('what is left of a scan comes before what was requested meanwhile: it never waits for ever', () => {
  const queue = new ScanQueue();
  for (const entry of ['new', 'left over', 'newer']) queue.add(0, entry);
  queue.addLeft(0, ['left over', 'too']);
  queue.addLeft(1, []);
  const scopes = [...queue.take()].map(([root, scope]) => [root, scope === 'all' ? scope : [...scope]]);
  expect(scopes).toEqual([[0, ['left over', 'too', 'new', 'newer']]]);
});

it('what is left of a scan of a root that is scanned as a whole is in that', () => {
  const queue = new ScanQueue();
  queue.addAll(1);
  queue.addLeft(0, ['left over']);
  expect([...queue.take()]).toEqual([[0, 'all']]);
});
