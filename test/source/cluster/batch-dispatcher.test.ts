import { describe, expect, it } from 'vitest';
import { ClusterWorld } from '../../../src/source/cluster/pending-changes.ts';
import { Delivery } from '../../../src/source/cluster/batch-dispatcher.ts';
import type { KubeObject } from '../../../src/source/cluster/api/object.ts';
import { ObjectTable } from '../../../src/source/cluster/reflector/object-store.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';

const collection = { kind: 'Service', namespace: undefined } as const;

/** A delivery to somebody who throws at batches with one of these keys. */
function startDelivery() {
  const [log, clock, batches] = [createRecordedLog(), createManualClock(), createBatches()];
  const world = new ClusterWorld([collection], { log, counters: createRecordedCounters() });
  const refused = new Set<string>();
  const deliver: Batches['deliver'] = (batch) => {
    const [first] = batch.changes.filter(({ key }) => refused.has(key));
    if (first !== undefined) throw new Error(`on purpose: ${first.key}`);
    batches.deliver(batch);
  };
  const delivery = new Delivery({ world, deliver, clock, log });
  const table = new ObjectTable('Service', world.listener('Service'));
  return {
    log,
    clock,
    batches,
    delivery,
    refused,
    complete(): void {
      world.complete(collection);
      world.bundle({ bundle: { known: true, versions: [] }, answered: true });
    },
    put: (name: string): void => table.set(serviceObject(name)),
    remove: (name: string): void => table.remove(`default/${name}`),
    held: (): readonly string[] => [...batches.resources.keys()].toSorted(),
  };
}

function serviceObject(name: string): KubeObject {
  const metadata = { namespace: 'default', name, uid: name, resourceVersion: '1' };
  return { key: `default/${name}`, uid: name, resourceVersion: '1', json: { metadata, spec: { ports: [] } } };
}

describe('a batch that is not taken', () => {
  it('is told again by itself, so that a deletion arrives after all', () => {
    const world = startDelivery();
    world.put('granted');
    world.complete();
    world.delivery.run();
    expect(world.held()).toEqual(['Service default/granted']);
    world.refused.add('default/granted');
    world.remove('granted');
    world.delivery.run();
    expect(world.held()).toEqual(['Service default/granted']);
    world.refused.clear();
    world.clock.advance(5000);
    expect(world.held()).toEqual([]);
    expect(world.clock.waiting()).toEqual([]);
  });

  it('keeps back nothing but what cannot be taken, and newer news take the place of that', () => {
    const world = startDelivery();
    world.complete();
    world.delivery.run();
    world.refused.add('default/bad');
    for (const name of ['bad', 'good']) world.put(name);
    world.delivery.run();
    expect(world.held()).toEqual(['Service default/good']);
    world.put('later');
    world.delivery.run();
    expect(world.held()).toEqual(['Service default/good', 'Service default/later']);
    world.refused.clear();
    world.remove('bad');
    world.delivery.run();
    expect(world.batches.all.at(-1)?.changes).toEqual([{ kind: 'Service', key: 'default/bad', resource: undefined }]);
  });

  it('as the first one leaves the world unsynced until all of it is taken', () => {
    const world = startDelivery();
    world.refused.add('default/bad');
    for (const name of ['bad', 'good']) world.put(name);
    world.complete();
    world.delivery.run();
    world.put('later');
    world.delivery.run();
    expect(world.held()).toEqual(['Service default/good', 'Service default/later']);
    expect(world.batches.synced).toBe(false);
    world.refused.clear();
    world.clock.advance(5000);
    expect(world.held()).toContain('Service default/bad');
    expect(world.batches.synced).toBe(true);
  });
});

describe('a failure of who takes batches', () => {
  it('is logged once, however often it fails, and once when it is taken', () => {
    const world = startDelivery();
    world.complete();
    world.refused.add('default/bad');
    world.put('bad');
    world.delivery.run();
    for (let time = 0; time < 20; time += 1) world.clock.advance(5000);
    world.refused.clear();
    world.clock.advance(5000);
    expect(world.log.lines.map(({ message }) => message)).toEqual([
      'internal error: a batch of changes could not be applied, and is told again until it is',
      'what could not be applied is applied now',
    ]);
  });

  it('is not tried again after the end', () => {
    const world = startDelivery();
    world.complete();
    world.refused.add('default/bad');
    world.put('bad');
    world.delivery.run();
    world.delivery.stop();
    expect(world.clock.waiting()).toEqual([]);
  });
});
