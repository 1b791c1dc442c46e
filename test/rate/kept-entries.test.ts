import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeptEntries } from '../../src/rate/kept-entries.ts';

const limit = 100;

/** The sizes that each key keeps, by key and part, as those who keep them see it. */
function createRig() {
  const kept = new Map<string, Map<string, readonly number[]>>();
  const bytesOf = (key: string): number =>
    [...(kept.get(key)?.values() ?? [])].flat().reduce((sum, size) => sum + size, 0);
  const evicted: { readonly key: string; readonly bytes: number; readonly mostOfOthers: number }[] = [];
  let keeping = '';
  const entries = new KeptEntries({
    limit,
    share: 1 / 2,
    crowded: () => {},
    evict(key) {
      const others = [...kept.keys()].filter((other) => other !== key && other !== keeping);
      evicted.push({ key, bytes: bytesOf(key), mostOfOthers: Math.max(0, ...others.map(bytesOf)) });
      kept.delete(key);
    },
  });
  return {
    entries,
    evicted,
    bytesOf,
    sum: () => [...kept.keys()].reduce((sum, key) => sum + bytesOf(key), 0),
    keep(key: string, part: string, sizes: readonly number[]): void {
      keeping = key;
      const found = entries.keeper(key, part)(sizes, (size) => size);
      kept.set(key, new Map(kept.get(key)).set(part, found));
    },
    forget(key: string): void {
      entries.forget(key);
      kept.delete(key);
    },
  };
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const steps = fc.array(
  fc.record({
    key,
    part: fc.constantFrom('names', 'pages'),
    sizes: fc.option(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }), { nil: undefined }),
  }),
  { maxLength: 60 },
);

it('counts exactly what is kept, never more than the limit and the share, and evicts who has the most', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { entries, evicted, bytesOf, sum, keep, forget } = createRig();
      for (const { key, part, sizes } of all) {
        evicted.length = 0;
        if (sizes === undefined) forget(key);
        else keep(key, part, sizes);
        expect(entries.bytes).toBe(sum());
        expect(entries.bytes).toBeLessThanOrEqual(limit);
        expect(bytesOf(key)).toBeLessThanOrEqual(limit / 2);
        for (const { bytes, mostOfOthers } of evicted) expect(bytes).toBeGreaterThanOrEqual(mostOfOthers);
        expect(evicted.map((other) => other.key)).not.toContain(key);
      }
    }),
  );
});

it('keeps the first entries of a list without room, and all of a key that has less than others', () => {
  const { keep, bytesOf, evicted } = createRig();
  keep('a', 'names', [20, 20, 20]);
  keep('b', 'names', [20, 20, 20]);
  expect([bytesOf('a'), bytesOf('b')]).toEqual([40, 40]);
  keep('c', 'names', [20, 1]);
  expect([bytesOf('c'), evicted]).toEqual([21, [{ key: 'a', bytes: 40, mostOfOthers: 40 }]]);
});
