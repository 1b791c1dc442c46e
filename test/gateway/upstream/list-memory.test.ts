import { expect, it } from 'vitest';
import { createNameIndex } from '../../../src/gateway/session/names/name-index.ts';
import { createUiOwners } from '../../../src/gateway/session/names/ui-owners.ts';
import { createListMemory } from '../../../src/gateway/upstream/answer-limits.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

const mebibyte = 1024 * 1024;
const sizeOf = (size: number): number => size;

function createMemory() {
  const evicted: string[] = [];
  const crowded = new Set<string>();
  const memory = createListMemory({
    evict: (target) => evicted.push(target),
    crowded: (target) => crowded.add(target),
  });
  /** Keeps megabytes for a target, in pieces of 64 KiB, and returns how many megabytes of these fit. */
  const keep = (target: string, megabytes: number, part = 'names'): number =>
    memory.keeper(target, part)(new Array<number>(16 * megabytes).fill(mebibyte / 16), sizeOf).length / 16;
  return { memory, evicted, crowded, keep };
}

it('what is kept of lists has one limit for all targets, of which one has half', () => {
  const { memory, evicted, crowded, keep } = createMemory();
  expect([keep('a', 40), keep('a', 1, 'pages'), keep('b', 40), memory.bytes]).toEqual([32, 0, 32, 64 * mebibyte]);
  expect([evicted, [...crowded]]).toEqual([[], ['a', 'b']]);
});

it('a target that lists little finds room however many list much, and keeps it', () => {
  const { memory, evicted, crowded, keep } = createMemory();
  expect(keep('honest', 1)).toBe(1);
  for (let flood = 0; flood < 1_000; flood += 1) keep(`flood ${flood}`, 64);
  expect(keep('late', 1)).toBe(1);
  for (let flood = 0; flood < 1_000; flood += 1) keep(`flood ${flood}`, 64);
  expect(memory.bytes).toBeLessThanOrEqual(64 * mebibyte);
  expect([keep('honest', 1), keep('late', 1)]).toEqual([1, 1]);
  for (const target of ['honest', 'late'])
    expect([evicted.includes(target), crowded.has(target)]).toEqual([false, false]);
});

it('what is not kept any more is given back: of a shorter list, and of a target that is gone', () => {
  const { memory, keep } = createMemory();
  for (let times = 0; times < 1_000; times += 1) {
    expect([keep('a', 3), keep('a', 1)]).toEqual([3, 1]);
    memory.keeper('a', 'headers')([1_000], sizeOf);
    expect(memory.bytes).toBe(mebibyte + 1_000);
    memory.forget('a');
    expect(memory.bytes).toBe(0);
  }
});

it('names and pages of many targets take no more than that, and those of one that was evicted are not known', () => {
  const memory = createListMemory({
    evict(target) {
      owners.forget(target);
      names.forget(target);
    },
    crowded: () => {},
  });
  const names = createNameIndex(memory, () => true);
  const owners = createUiOwners(createManualClock(), createRecordedLog(), memory);
  const pages = (target: string, count: number, length: number): readonly string[] =>
    Array.from({ length: count }, (_, page) => `ui://${target}/${page}/`.padEnd(length, 'x'));
  const namesOf = (target: string) =>
    Array.from({ length: 1_000 }, (_, index) => {
      const name = `${target}-${index}-`.padEnd(256, 'x');
      return { name, exposed: name };
    });
  owners.toolsListed('honest', pages('honest', 5, 0));
  for (let flood = 0; flood < 40; flood += 1) {
    owners.toolsListed(`t${flood}`, pages(`t${flood}`, 1_000, 2_000));
    for (const kind of ['tool', 'prompt'] as const) names.listed(kind, `t${flood}`, namesOf(`t${flood}`));
  }
  expect(memory.bytes).toBeLessThanOrEqual(64 * mebibyte);
  expect(owners.claimants('ui://honest/4/')).toEqual(['honest']);
  const known = Array.from({ length: 40 }, (_, flood) => `t${flood}`).filter((target) => owners.isKnown(target));
  expect(known.length).toBeLessThan(20);
  for (let flood = 0; flood < 40; flood += 1) {
    const [page = ''] = pages(`t${flood}`, 1, 2_000);
    expect(owners.claimants(page).length).toBe(owners.isKnown(`t${flood}`) ? 1 : 0);
  }
});
