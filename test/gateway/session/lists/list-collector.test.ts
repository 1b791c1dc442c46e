import { expect, it } from 'vitest';
import { CrowdedOut } from '../../../../src/gateway/session/lists/crowded-out.ts';
import { createListCollector, type ListCollectorParts } from '../../../../src/gateway/session/lists/list-collector.ts';
import { emptyListing, type Listing } from '../../../../src/gateway/session/lists/list-pages.ts';
import { ListWeights } from '../../../../src/gateway/session/lists/list-weights.ts';
import { createAnswerBudget } from '../../../../src/gateway/upstream/answer-limits.ts';
import { FairTurns } from '../../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

function listingOf(count: number): Listing {
  const entries = Array.from({ length: count }, (_, index) => ({ name: `t${index}` }));
  return { ...emptyListing, entries, texts: entries.map((entry) => JSON.stringify(entry).padEnd(128)) };
}

/** A collector of these lists of targets, and the entries that were made, and the targets asked, in each turn. */
function create(lists: Readonly<Record<string, number>>): {
  readonly collect: () => Promise<number>;
  readonly turns: number[];
  readonly asked: number[];
} {
  const turns: number[] = [];
  const asked: number[] = [];
  const shared = {
    budget: createAnswerBudget(new FairTurns()),
    crowdedOut: new CrowdedOut(createManualClock()),
    weights: new ListWeights(),
    read(target: string) {
      asked.push((asked.pop() ?? 0) + 1);
      return Promise.resolve(listingOf(lists[target] ?? 0));
    },
    turns: {
      toBegin: async () => () => {},
      toRead: async () => () => {},
      async toMake() {
        turns.push(0);
        asked.push(0);
      },
    },
  };
  const exposeName = ({ name }: { readonly name: string }): string => {
    turns.push((turns.pop() ?? 0) + 1);
    return name;
  };
  const parts: object = {
    clock: createManualClock(),
    upstreams: { get: () => undefined, opened: () => undefined, isTarget: () => true },
    shared,
    health: { isLeftOut: () => false, listed() {} },
    circuit: { isLeftOut: () => false },
    uiOwners: { toolsListed() {} },
    upstreamState: { memories: new Map() },
    handshake: { version: () => '2025-11-25' },
    names: { exposeName, index: { listed() {} } },
  };
  const { collect } = createListCollector(parts as ListCollectorParts);
  const caller = { kind: 'anonymous', reason: 'stdio' } as const;
  const request = {
    params: {},
    signal: new AbortController().signal,
    reachable: 'all',
    usable: 'all',
    caller,
  } as const;
  const collected = async (): Promise<number> =>
    (await collect('tools/list', request, Object.keys(lists))).entries.length;
  return { collect: collected, turns, asked };
}

it.each([
  ['of one target that has the most', { a: 3_000 }, [1_334, 1_334, 332]],
  ['of many targets that have a few', { a: 1_000, b: 1_000, c: 1_000, d: 10 }, [1_334, 1_334, 342]],
  ['that is small', { a: 10, b: 10 }, [20]],
])(
  'a list %s is made in turns, each for 2,000 entries of which a long one counts for more',
  async (_, lists, turns) => {
    const collector = create(lists);
    expect(await collector.collect()).toBe(Object.values<number>(lists).reduce((sum, count) => sum + count));
    expect(collector.turns).toEqual([0, ...turns]);
  },
);

it('of many targets, 32 are asked in a turn', async () => {
  const { collect, asked } = create(Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`t${index}`, 0])));
  expect(await collect()).toBe(0);
  expect(asked).toEqual([32, 32, 6]);
});
