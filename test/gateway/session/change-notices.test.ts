import { setImmediate as nextIteration } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide } from '../../../src/authz/authz.ts';
import type { PrimitiveKind } from '../../../src/authz/model.ts';
import type { Clock } from '../../../src/edges.ts';
import type { Caller } from '../../../src/gateway/model.ts';
import {
  type ChangeNotices,
  createChangeNotices,
  createGivenLists,
} from '../../../src/gateway/session/change-notices.ts';
import type { Client } from '../../../src/gateway/session/model.ts';
import { createSessionFanOut } from '../../../src/gateway/session/session-fan-out.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig, type FakeConfig } from '../../support/gateway/fake-config.ts';

const kinds = ['tool', 'prompt', 'resource'] as const;
const names = ['a:x', 'a:y', 'b:x'];
const claimsOfCallers = [
  { sub: 'me', scope: 'read' },
  { sub: 'me', scope: 'write' },
  { sub: 'you', scope: 'read', role: ['admin'] },
  { sub: ['me'], role: 'admin' },
];
const callers = claimsOfCallers.map((claims): Caller => ({ kind: 'principal', identity: 'i', claims, expiresAt: 1e9 }));

interface Listed {
  readonly caller: Caller;
  readonly names: string;
  /** What the client had been told of the list before. */
  readonly told: number;
}

/** A client that listed with some of its tokens, and reads its stream with one of them. */
interface Reader extends ChangeNotices {
  readonly told: Map<string, number>;
  readonly lists: Map<string, Listed>;
}

function createReader(reader: Caller | undefined, clock: Clock): Reader {
  const told = new Map<string, number>();
  const client: Client = {
    reader: () => reader,
    notify: ({ method }, mayReceive) => {
      if (reader === undefined || mayReceive(reader)) told.set(method, (told.get(method) ?? 0) + 1);
    },
    request: () => Promise.reject(new Error('nobody is asked')),
  };
  const authorization = { seesAnythingOf: () => false };
  const givenLists = createGivenLists(clock);
  return { ...createChangeNotices({ client, authorization, list: 'filtered', givenLists }), told, lists: new Map() };
}

function visible({ rules }: FakeConfig, kind: PrimitiveKind, caller: Caller): string {
  const claims = caller.kind === 'principal' ? caller.claims : undefined;
  return names.filter((name) => decide(rules, claims, { kind, name }).allowed).join(' ');
}

const methodOf = (kind: PrimitiveKind): string => `notifications/${kind}s/list_changed`;

const index = fc.nat(3);
const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom(...kinds),
    config: fc.constantFrom('n.p', 'n.q'),
    id: fc.constantFrom('*', ...names),
    claim: fc.constantFrom('sub', 'scope', 'role'),
    value: fc.constantFrom('me', 'you', 'read', 'write', 'admin'),
  }),
  fc.record({ removed: fc.constantFrom('n.p', 'n.q') }),
  fc.record({ lists: fc.constantFrom(...kinds), reader: index, caller: index }),
  fc.record({ iterations: fc.constantFrom(1, 8) }),
);

it('whoever was given a filtered list is told when it is another one, whenever rules come and go, by whatever token', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      // Each look at the clock takes longer than a turn: readers are told one by one, and much happens meanwhile.
      let now = 0;
      const tick = (): number => (now += 3);
      const clock: Clock = { now: tick, monotonic: tick, after: () => () => {} };
      const config = createFakeConfig();
      const readers = [...callers.slice(0, 3), undefined].map((caller) => createReader(caller, clock));
      const followers = readers.map((reader) => ({ configChanged: reader.changed, targetRecovered: () => {} }));
      const log = createRecordedLog();
      const fanOut = createSessionFanOut(new Set(followers), { config, clock, log });
      config.subscribe(fanOut.changed);
      for (const one of steps) {
        if ('removed' in one) config.removeConfig(one.removed);
        else if ('config' in one) config.allow(one.config, one.value, one.kind, one.id, one.claim);
        else if ('iterations' in one) for (let left = one.iterations; left > 0; left -= 1) await nextIteration();
        else {
          const [reader, caller] = [readers[one.reader], callers[one.caller]];
          if (reader === undefined || caller === undefined) continue;
          reader.listedFor(caller);
          const told = reader.told.get(methodOf(one.lists)) ?? 0;
          const listed = { caller, names: visible(config, one.lists, caller), told };
          reader.lists.set(`${one.lists} ${one.caller}`, listed);
        }
      }
      for (let left = 8 * (steps.length + 2); left > 0; left -= 1) await nextIteration();
      for (const { lists, told } of readers) {
        for (const [key, { caller, names: before, told: toldBefore }] of lists) {
          const kind = kinds.find((known) => key.startsWith(known)) ?? 'tool';
          const isTold = (told.get(methodOf(kind)) ?? 0) > toldBefore;
          expect(isTold || visible(config, kind, caller) === before).toBe(true);
        }
      }
      expect(log.lines).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('more tokens with other claims than are remembered are told of every change', () => {
  const clock: Clock = { now: () => 0, monotonic: () => 0, after: () => () => {} };
  const toldAfter = (tokens: number): number => {
    const reader = createReader(callers[2], clock);
    for (let token = 0; token < tokens; token += 1) {
      reader.listedFor({ kind: 'principal', identity: 'i', claims: { jti: `${token}` }, expiresAt: 1 });
    }
    reader.changed({ targets: [], rules: { concern: () => false } });
    return reader.told.size;
  };
  expect([0, 1, 4, 5].map(toldAfter)).toEqual([0, 0, 0, 3]);
});
