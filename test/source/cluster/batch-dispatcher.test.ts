import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../src/source/cluster/api/object.ts';
import { BatchDispatcher } from '../../../src/source/cluster/batch-dispatcher.ts';
import { PendingChanges } from '../../../src/source/cluster/pending-changes.ts';
import { ObjectStore } from '../../../src/source/cluster/reflector/object-store.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';

const collection = { kind: 'Service', namespace: undefined } as const;

/** A dispatcher whose consumer throws at batches with one of the keys in `rejected`. */
function startDispatcher() {
  const [log, clock, batches] = [createRecordedLog(), createManualClock(), createBatches()];
  const pending = new PendingChanges([collection], { log, counters: createRecordedCounters() });
  const rejected = new Set<string>();
  const deliver: Batches['deliver'] = (batch) => {
    const [first] = batch.changes.filter(({ key }) => rejected.has(key));
    if (first !== undefined) throw new Error(`on purpose: ${first.key}`);
    batches.deliver(batch);
  };
  const dispatcher = new BatchDispatcher({ pending, deliver, clock, log });
  const store = new ObjectStore('Service', pending.handlerOf('Service'));
  return {
    log,
    clock,
    batches,
    dispatcher,
    rejected,
    synced(): void {
      pending.collectionSynced(collection);
      pending.bundleRead({ bundle: { known: true, versions: [] }, answered: true });
    },
    put: (name: string, bytes = 100): void => store.set(serviceObject(name, bytes)),
    remove: (name: string): void => store.remove(`default/${name}`),
    held: (): readonly string[] => [...batches.resources.keys()].toSorted(),
  };
}

function serviceObject(name: string, bytes: number): ApiObject {
  const metadata = { namespace: 'default', name, uid: name, resourceVersion: '1' };
  return {
    key: `default/${name}`,
    uid: name,
    resourceVersion: '1',
    created: '',
    bytes,
    content: { is: 'json', json: { metadata, spec: { ports: [] } } },
  };
}

describe('a batch whose delivery throws', () => {
  it('is retried, so that a deletion is delivered after all', () => {
    const rig = startDispatcher();
    rig.put('granted');
    rig.synced();
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/granted']);
    rig.rejected.add('default/granted');
    rig.remove('granted');
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/granted']);
    rig.rejected.clear();
    rig.clock.advance(5000);
    expect(rig.held()).toEqual([]);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('holds back only the changes that fail, and newer ones replace them', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    rig.rejected.add('default/bad');
    for (const name of ['bad', 'good']) rig.put(name);
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/good']);
    rig.put('later');
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/good', 'Service default/later']);
    rig.rejected.clear();
    rig.remove('bad');
    rig.dispatcher.dispatch();
    expect(rig.batches.all.at(-1)?.changes).toEqual([{ kind: 'Service', key: 'default/bad', resource: undefined }]);
  });

  it('as the first one leaves the source unsynced until all of it is accepted', () => {
    const rig = startDispatcher();
    rig.rejected.add('default/bad');
    for (const name of ['bad', 'good']) rig.put(name);
    rig.synced();
    rig.dispatcher.dispatch();
    rig.put('later');
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/good', 'Service default/later']);
    expect(rig.batches.synced).toBe(false);
    rig.rejected.clear();
    rig.clock.advance(5000);
    expect(rig.held()).toContain('Service default/bad');
    expect(rig.batches.synced).toBe(true);
  });
});

describe('large objects', () => {
  const large = 200_000;

  it('of the initial state are delivered one by one behind all small ones, and it is complete with the last', () => {
    const rig = startDispatcher();
    rig.put('large-1', large);
    rig.put('small-1');
    rig.put('large-2', large);
    rig.put('small-2');
    rig.synced();
    rig.dispatcher.dispatch();
    for (let turn = 0; turn < 4; turn += 1) rig.clock.advance(0);
    expect(rig.batches.all.map(({ changes, synced }) => [changes.map(({ key }) => key), synced])).toEqual([
      [['default/small-1', 'default/small-2'], false],
      [['default/large-1'], false],
      [['default/large-2'], true],
    ]);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('of which one of the initial state fails leave the source unsynced until it is accepted', () => {
    const rig = startDispatcher();
    rig.rejected.add('default/large-1');
    rig.put('large-1', large);
    rig.put('large-2', large);
    rig.synced();
    rig.dispatcher.dispatch();
    rig.clock.advance(5_000);
    expect(rig.batches.synced).toBe(false);
    rig.rejected.clear();
    rig.clock.advance(5_000);
    rig.clock.advance(0);
    expect(rig.held()).toEqual(['Service default/large-1', 'Service default/large-2']);
    expect(rig.batches.synced).toBe(true);
  });

  it('that change later are one batch as they are', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    rig.put('large-1', large);
    rig.put('large-2', large);
    rig.dispatcher.dispatch();
    expect(rig.batches.all.at(-1)?.changes).toHaveLength(2);
  });
});

describe('a consumer that fails', () => {
  it('is logged once, and once when it accepts again', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.rejected.add('default/bad');
    rig.put('bad');
    rig.dispatcher.dispatch();
    for (let time = 0; time < 20; time += 1) rig.clock.advance(5000);
    rig.rejected.clear();
    rig.clock.advance(5000);
    expect(rig.log.lines.map(({ message }) => message)).toEqual([
      'internal error: a batch of changes could not be applied, and is told again until it is',
      'what could not be applied is applied now',
    ]);
  });

  it('is not retried after stop', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.rejected.add('default/bad');
    rig.put('bad');
    rig.dispatcher.dispatch();
    rig.dispatcher.stop();
    expect(rig.clock.waiting()).toEqual([]);
  });
});
