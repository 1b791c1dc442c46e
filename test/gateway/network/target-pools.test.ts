import { expect, it } from 'vitest';
import { TargetPools } from '../../../src/gateway/network/target-pools.ts';

function createRig() {
  const ended: number[] = [];
  let created = 0;
  const pools = new TargetPools(() => {
    created += 1;
    const number = created;
    return { number, dispatch: () => true, destroy: async () => void ended.push(number) };
  });
  return { pools, ended, created: () => created };
}

it('requests of one origin have 64 of their own beside them in an agent, and those of others are not counted', () => {
  const { pools, created } = createRig();
  const taken = Array.from({ length: 200 }, () => pools.take('http://a'));
  expect(created()).toBe(4);
  const counts = Map.groupBy(taken, ({ dispatcher }) => dispatcher);
  expect([...counts.values()].map(({ length }) => length)).toEqual([64, 64, 64, 8]);
  expect(pools.take('http://b').dispatcher).toBe(taken[0]?.dispatcher);
  expect(created()).toBe(4);
});

it('the first agent with room is used again', async () => {
  const { pools, ended } = createRig();
  const [first, ...others] = Array.from({ length: 100 }, () => pools.take('http://a'));
  first?.release();
  expect(pools.take('http://a').dispatcher).toBe(first?.dispatcher);
  expect(pools.take('http://a').dispatcher).toBe(others.at(-1)?.dispatcher);
  await pools.destroy();
  expect(ended).toEqual([1, 2]);
});
