import { expect, it } from 'vitest';
import { ScanQueue, WatchPlan } from '../../../../src/source/files/watch/watch-plan.ts';

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

it('what a scan depends on is replaced by the next one, and costs nothing when it is the same', () => {
  const plan = new WatchPlan();
  plan.set(0, undefined, [{ folder: '/root', name: undefined }]);
  plan.set(0, 'a.yaml', [
    { folder: '/root', name: 'a.yaml' },
    { folder: '/one', name: 'real' },
  ]);
  plan.set(0, 'b.yaml', [{ folder: '/one', name: 'real' }]);
  const [a, b] = [
    { root: 0, entry: 'a.yaml' },
    { root: 0, entry: 'b.yaml' },
  ];
  expect(plan.scansAfter('/one', 'real')).toEqual([a, b]);
  expect([...plan.scansIn('/one')]).toEqual([a, b]);
  plan.set(0, 'a.yaml', [{ folder: '/two', name: 'real' }]);
  expect([plan.scansAfter('/one', 'real'), plan.scansAfter('/two', 'real')]).toEqual([[b], [a]]);
  expect([...plan.folders]).toEqual(['/root', '/one', '/two']);
  plan.delete(0, 'b.yaml');
  expect([...plan.folders]).toEqual(['/root', '/two']);
  plan.keepOnly(0, () => false);
  expect([...plan.folders]).toEqual(['/root']);
  expect(plan.scansAfter('/root', 'any.yaml')).toEqual([{ root: 0, entry: 'any.yaml' }]);
});
