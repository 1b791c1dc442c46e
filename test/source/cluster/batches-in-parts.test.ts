import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ApiObject } from '../../../src/source/cluster/api/object.ts';
import { BatchDispatcher } from '../../../src/source/cluster/batch-dispatcher.ts';
import { PendingChanges } from '../../../src/source/cluster/pending-changes.ts';
import { ObjectStore } from '../../../src/source/cluster/reflector/object-store.ts';
import type { Batch } from '../../../src/source/model.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createTurns } from '../../support/edges/turns.ts';

const collection = { kind: 'Service', namespace: undefined } as const;

/** Bytes of an object that is a part of its own, so that a few of them are a batch in parts. */
const large = 600_000;

interface Step {
  readonly does: 'put' | 'remove' | 'reject' | 'accept' | 'begin a list' | 'end a list' | 'take a turn' | 'wait';
  readonly named?: string;
}

const named = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');

/** @param others beside changes, lists and time */
function stepsWith(others: readonly Step['does'][]): fc.Arbitrary<readonly Step[]> {
  const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { arbitrary: fc.record({ does: fc.constantFrom('put', 'remove'), named }), weight: 8 },
    { arbitrary: fc.record({ does: fc.constant('take a turn') }), weight: 4 },
    {
      arbitrary: fc.record({ does: fc.constantFrom('begin a list', 'end a list', 'wait', ...others), named }),
      weight: 2,
    },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

/** A source whose consumer throws at changes of the rejected names, and what both hold. */
function startSource() {
  const [log, turns] = [createRecordedLog(), createTurns()];
  const pending = new PendingChanges([collection], { log, counters: createRecordedCounters() });
  const store = new ObjectStore('Service', pending.handlerOf('Service'));
  const stored = new Map<string, number>();
  const [held, rejected] = [new Map<string, number>(), new Set<string>()];
  const shown: string[] = [];
  let [version, isListing] = [0, true];
  let last: Batch | undefined;
  const deliver = (batch: Batch): void => {
    if (batch.changes.some(({ key }) => rejected.has(key))) throw new Error('on purpose');
    for (const { key, resource } of batch.changes) {
      if (resource === undefined) held.delete(key);
      else held.set(key, resource.metadata.generation ?? 0);
    }
    last = batch;
    if (batch.more !== true) shown.push(worldOf(held));
  };
  const dispatcher = new BatchDispatcher({ pending, deliver, clock: turns.clock, log });
  /** As the source of a cluster does after each chunk of a watch and each list. */
  const changed = (): void => {
    if (pending.isLarge) dispatcher.dispatchNext();
    else dispatcher.dispatch();
  };
  const actions: Readonly<Record<Step['does'], (named: string) => void>> = {
    put(named) {
      version += 1;
      store.set(serviceObject(named, version));
      stored.set(`default/${named}`, version);
      changed();
    },
    remove(named) {
      store.remove(`default/${named}`);
      stored.delete(`default/${named}`);
      changed();
    },
    reject: (named) => void rejected.add(`default/${named}`),
    accept: () => rejected.clear(),
    'begin a list'() {
      isListing = true;
      pending.collectionReplacing(collection);
    },
    'end a list'() {
      isListing = false;
      pending.collectionSynced(collection);
      changed();
    },
    'take a turn': turns.take,
    wait: () => turns.advance(5_000),
  };
  pending.bundleRead(undefined);
  actions['end a list']('');
  return {
    ...{ shown, held: () => worldOf(held), stored: () => worldOf(stored), last: () => last },
    isListing: () => isListing,
    /** The rest of a batch is due, and nothing is going to deliver it. */
    isLeft: () => last?.more === true && turns.count() === 0,
    waits: () => turns.count() > 0 || turns.waiting().length > 0,
    play: ({ does, named = '' }: Step): void => actions[does](named),
    /** Ends what goes on, and nothing else: what is pending is delivered by itself. */
    settle: (): void => {
      rejected.clear();
      if (isListing) actions['end a list']('');
      for (let time = 0; time < 3; time += 1) {
        while (turns.count() > 0) turns.take();
        turns.advance(5_000);
      }
    },
  };
}

function serviceObject(named: string, version: number): ApiObject {
  const [uid, resourceVersion] = [named, String(version)];
  const metadata = { namespace: 'default', name: named, uid, resourceVersion, generation: version };
  const content = { is: 'json', json: { metadata, spec: { ports: [] } } } as const;
  return { key: `default/${named}`, uid, resourceVersion, created: '', bytes: large, content };
}

const worldOf = (objects: ReadonlyMap<string, number>): string => JSON.stringify([...objects].toSorted());

it('whatever happens between the parts of a batch, its last part is delivered, and the last state', () => {
  fc.assert(
    fc.property(stepsWith(['reject', 'accept']), (steps) => {
      const source = startSource();
      for (const step of steps) {
        source.play(step);
        expect(source.isLeft()).toBe(false);
      }
      source.settle();
      expect(source.held()).toBe(source.stored());
      expect(source.last()?.synced).toBe(true);
      expect(source.waits()).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it('what is shown is a state that the source had, and no earlier one than was shown before', () => {
  fc.assert(
    fc.property(stepsWith([]), (steps) => {
      const source = startSource();
      const worlds = ['[]'];
      for (const step of steps) {
        source.play(step);
        if (!source.isListing()) worlds.push(source.stored());
      }
      source.settle();
      worlds.push(source.stored());
      let at = 0;
      for (const shown of source.shown) {
        at = worlds.indexOf(shown, at);
        expect(at).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 1_000 },
  );
});
