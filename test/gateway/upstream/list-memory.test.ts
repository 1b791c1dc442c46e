import { expect, it } from 'vitest';
import { createNameIndex } from '../../../src/gateway/session/names/name-index.ts';
import { createUiOwners } from '../../../src/gateway/session/names/ui-owners.ts';
import { ListMemory } from '../../../src/gateway/upstream/list-memory.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

const mebibyte = 1024 * 1024;
const sizeOf = (size: number): number => size;

/** Keeps megabytes for a target, in pieces of 64 KiB, and returns how many of these fit. */
function keep(memory: ListMemory, target: string, megabytes: number): number {
  return memory.keeper(target, 'tool')(new Array<number>(16 * megabytes).fill(mebibyte / 16), sizeOf).length;
}

it('what is kept of lists has one limit for all targets, and each has a share, however many there are before it', () => {
  const crowded = new Set<string>();
  const memory = new ListMemory((target) => crowded.add(target));
  expect(keep(memory, 'honest', 1)).toBe(16);
  const shares = Array.from({ length: 1_000 }, (_, index) => keep(memory, `flood ${index}`, 64));
  expect(shares.slice(0, 3)).toEqual([112, 99, 88]);
  expect(Math.min(...shares.slice(0, 20))).toBeGreaterThan(0);
  expect(memory.bytes).toBeLessThanOrEqual(64 * mebibyte);
  // Smaller things than a piece of a flood still find room, and a list that is read again keeps its own.
  expect(memory.keeper('late', 'pages')(new Array<number>(20).fill(500), sizeOf)).toHaveLength(20);
  expect(keep(memory, 'honest', 1)).toBe(16);
  expect([crowded.has('honest'), crowded.has('late'), crowded.has('flood 0')]).toEqual([false, false, true]);
});

it('what is not kept any more is given back: of a shorter list, and of a target that is gone', () => {
  const memory = new ListMemory(() => {});
  for (let times = 0; times < 1_000; times += 1) {
    expect([keep(memory, 'a', 3), keep(memory, 'a', 1)]).toEqual([48, 16]);
    memory.keeper('a', 'headers')([1_000], sizeOf);
    expect(memory.bytes).toBe(mebibyte + 1_000);
    memory.forget('a');
    expect(memory.bytes).toBe(0);
  }
});

it('a thousand targets with the largest names and pages take no more than that, and lose none of the first', () => {
  const memory = new ListMemory(() => {});
  const names = createNameIndex(memory, ({ name }) => name);
  const owners = createUiOwners(createManualClock(), createRecordedLog(), memory);
  const pages = (target: number, count: number): readonly object[] =>
    Array.from({ length: count }, (_, page) => {
      const uri = `ui://${target}/${page}/`;
      return { name: 'x', _meta: { ui: { resourceUri: uri.padEnd(count > 10 ? 2_000 : 0, 'x') } } };
    });
  const namesOf = (target: number): readonly string[] =>
    Array.from({ length: 1_000 }, (_, name) => `${target}-${name}-`.padEnd(256, 'x'));
  owners.toolsListed('honest', pages(-1, 5));
  for (let target = 0; target < 300; target += 1) {
    owners.toolsListed(`t${target}`, pages(target, 1_000));
    for (const kind of ['tool', 'prompt'] as const) names.listed(kind, `t${target}`, namesOf(target));
  }
  expect(memory.bytes).toBeLessThanOrEqual(64 * mebibyte);
  owners.toolsListed('honest', pages(-1, 5));
  expect(owners.claimants('ui://-1/4/')).toEqual(['honest']);
  owners.toolsListed('late', pages(-2, 5));
  expect(owners.claimants('ui://-2/4/')).toEqual(['late']);
});
