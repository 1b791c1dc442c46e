import { expect, it } from 'vitest';
import { WatchPlan } from '../../../../src/source/files/watch/watch-plan.ts';

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
  expect([...plan.scansOf(0)]).toEqual(['a.yaml']);
  plan.delete(0, 'a.yaml');
  expect([...plan.folders]).toEqual(['/root']);
  expect(plan.scansAfter('/root', 'any.yaml')).toEqual([{ root: 0, entry: 'any.yaml' }]);
});
