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

/** A dispatcher whose consumer throws at batches with one of the keys in `rejected`, fifty times. */
function startDispatcher() {
  const [log, clock, batches] = [createRecordedLog(), createManualClock(), createBatches()];
  const pending = new PendingChanges([collection], { log, counters: createRecordedCounters() });
  const rejected = new Set<string>();
  let rejections = 0;
  const deliver: Batches['deliver'] = (batch) => {
    const [first] = batch.changes.filter(({ key }) => rejected.has(key));
    if (first !== undefined && rejections < 50) {
      rejections += 1;
      throw new Error(`on purpose: ${first.key}`);
    }
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
    rejections: (): number => rejections,
    replacing: (): void => pending.collectionReplacing(collection),
    synced(): void {
      pending.collectionSynced(collection);
      pending.bundleRead({ bundle: { known: true, versions: [] }, answered: true });
    },
    put: (name: string, bytes = 100, ports = 0): void => store.set(serviceObject(name, bytes, ports)),
    remove: (name: string): void => store.remove(`default/${name}`),
    removePolicy(name: string): void {
      const change = { kind: 'MCPAuthPolicy', key: `default/${name}`, resource: undefined, narrows: true } as const;
      pending.handlerOf('MCPAuthPolicy').changed(change, 0);
    },
    held: (): readonly string[] => [...batches.resources.keys()].toSorted(),
  };
}

let versions = 0;

function serviceObject(name: string, bytes: number, count: number): ApiObject {
  versions += 1;
  const resourceVersion = String(versions);
  const metadata = { namespace: 'default', name, uid: name, resourceVersion };
  const ports = Array.from({ length: count }, (_, index) => ({ port: index + 1, appProtocol: 'kgateway.dev/mcp' }));
  return {
    key: `default/${name}`,
    uid: name,
    resourceVersion,
    created: '',
    bytes,
    content: { is: 'json', json: { metadata, spec: { ports } } },
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

  it('waits for the next one also when it takes something away, so that all else is delivered', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    rig.rejected.add('default/policy');
    rig.removePolicy('policy');
    for (let index = 0; index < 1_100; index += 1) rig.put(`service-${index}`);
    rig.dispatcher.dispatch();
    rig.clock.advance(0);
    expect(rig.held()).toHaveLength(1_100);
    // By itself and in its part, in the narrowing and in the batch.
    expect(rig.rejections()).toBe(4);
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

describe('a batch that takes long to apply', () => {
  const large = 600_000;
  const parts = (rig: ReturnType<typeof startDispatcher>): readonly unknown[] =>
    rig.batches.all.map(({ changes, more = false, synced }) => [changes.map(({ key }) => key), more, synced]);

  it('is delivered in parts, each in a turn of its own, and the source is synced with the last', () => {
    const rig = startDispatcher();
    for (const name of ['large-1', 'large-2']) rig.put(name, large);
    for (const name of ['small-1', 'small-2']) rig.put(name);
    rig.synced();
    rig.dispatcher.dispatch();
    expect(rig.batches.all).toHaveLength(1);
    rig.clock.advance(0);
    expect(parts(rig)).toEqual([
      [['default/large-1'], true, false],
      [['default/large-2'], true, false],
      [['default/small-1', 'default/small-2'], false, true],
    ]);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('has 250 objects in a part, whatever their size', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    for (let at = 0; at < 625; at += 1) rig.put(`small-${at}`);
    for (let at = 0; at < 625; at += 1) if (at % 2 === 0) rig.remove(`small-${at}`);
    rig.dispatcher.dispatch();
    rig.clock.advance(0);
    const [, ...later] = rig.batches.all;
    expect(later.map(({ changes, more }) => [changes.length, more])).toEqual([
      [250, true],
      [250, true],
      [125, undefined],
    ]);
  });

  it('is what was pending at its first part, and what changes meanwhile is in the next one', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    for (const name of ['large-1', 'large-2', 'large-3']) rig.put(name, large);
    rig.dispatcher.dispatch();
    rig.remove('large-3');
    rig.put('later');
    rig.clock.advance(0);
    const [, ...later] = rig.batches.all;
    expect(later.map(({ changes, more = false }) => [changes.map(({ key }) => key), more])).toEqual([
      [['default/large-1'], true],
      [['default/large-2'], true],
      [['default/large-3'], false],
      [['default/large-3', 'default/later'], false],
    ]);
    expect(rig.held()).toEqual(['Service default/large-1', 'Service default/large-2', 'Service default/later']);
    expect(rig.clock.waiting()).toEqual([]);
  });
});

describe('the deletion of many targets', () => {
  it('is divided as what added them was, also when each Service was made smaller first', () => {
    const rig = startDispatcher();
    const names = Array.from({ length: 30 }, (_, index) => `s-${index}`);
    const partsOf = (change: (name: string) => void): readonly number[] => {
      const before = rig.batches.all.length;
      for (const name of names) change(name);
      rig.dispatcher.dispatch();
      for (let left = names.length; left > 0; left -= 1) rig.clock.advance(0);
      return rig.batches.all.slice(before).map(({ changes }) => changes.length);
    };
    rig.synced();
    const added = partsOf((name) => rig.put(name, 100, 100));
    expect(added).toEqual([20, 10]);
    const shrunk = partsOf((name) => {
      rig.put(name, 100, 1);
      rig.remove(name);
    });
    expect(shrunk).toEqual([20, 10]);
    expect(rig.held()).toEqual([]);
  });
});

describe('a batch in parts of which a change fails', () => {
  const large = 600_000;

  it('leaves the source unsynced if it is the initial state, until that is accepted', () => {
    const rig = startDispatcher();
    rig.rejected.add('default/large-1');
    for (const name of ['large-1', 'large-2']) rig.put(name, large);
    rig.synced();
    rig.dispatcher.dispatch();
    rig.clock.advance(0);
    expect(rig.held()).toEqual(['Service default/large-2']);
    expect(rig.batches.synced).toBe(false);
    rig.rejected.clear();
    rig.clock.advance(5_000);
    expect(rig.held()).toEqual(['Service default/large-1', 'Service default/large-2']);
    expect(rig.batches.synced).toBe(true);
  });

  it('is complete nevertheless, so that the others count', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    rig.rejected.add('default/large-2');
    for (const name of ['large-1', 'large-2']) rig.put(name, large);
    rig.dispatcher.dispatch();
    rig.clock.advance(0);
    expect(rig.held()).toEqual(['Service default/large-1']);
    expect(rig.batches.all.at(-1)).toEqual({ changes: [], synced: true });
  });
});

describe('a list that is applied in turns', () => {
  it('holds up what is pending until all of it is applied', () => {
    const rig = startDispatcher();
    rig.synced();
    rig.dispatcher.dispatch();
    rig.replacing();
    rig.put('one-of-many');
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual([]);
    rig.synced();
    rig.dispatcher.dispatch();
    expect(rig.held()).toEqual(['Service default/one-of-many']);
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
