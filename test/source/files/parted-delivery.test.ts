import { describe, expect, it } from 'vitest';
import { PartedDelivery } from '../../../src/source/files/parted-delivery.ts';
import type { Batch, ResourceChange } from '../../../src/source/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createBatches } from '../../support/worlds/batches.ts';

const here = (name: string): ResourceChange => ({
  kind: 'Namespace',
  key: name,
  resource: { kind: 'Namespace', metadata: { namespace: '', name, generation: undefined }, labels: { known: false } },
});
const gone = (name: string): ResourceChange => ({ kind: 'Namespace', key: name, resource: undefined });

/** A delivery to a consumer that throws at changes of the Namespaces in `rejected`. */
function startDelivery() {
  const [log, clock, batches] = [createRecordedLog(), createManualClock(), createBatches()];
  const rejected = new Set<string>();
  const delivering: Promise<void>[] = [];
  const delivery = new PartedDelivery({
    deliver(batch) {
      const bad = batch.changes.find(({ key }) => rejected.has(key));
      if (bad !== undefined) throw new Error(`on purpose: ${bad.key}`);
      batches.deliver(batch);
    },
    log,
    clock,
    retry: () => delivering.push(delivery.deliver(undefined)),
  });
  return {
    log,
    clock,
    batches,
    rejected,
    delivery,
    async deliver(batch: Batch): Promise<void> {
      const done = delivery.deliver(batch);
      const turns = Math.ceil(batch.changes.length / 500);
      for (let turn = 1; turn < turns; turn += 1) {
        await clock.armed();
        clock.advance(0);
        await Promise.resolve();
      }
      await done;
    },
    held: (): readonly string[] => [...batches.resources.keys()].map((id) => id.slice('Namespace '.length)),
    lines: (): readonly string[] => log.lines.map(({ message }) => message),
    retried: () => Promise.all(delivering),
  };
}

const whole = { unlistedNamespaces: 'named', synced: true } as const;
const failedLine = 'internal error: a batch of changes could not be applied, and is told again until it is';

describe('a consumer that throws at one object', () => {
  it('gets all others, also of the parts after it, and that one again after five seconds', async () => {
    const rig = startDelivery();
    rig.rejected.add('s-3');
    await rig.deliver({ ...whole, changes: Array.from({ length: 1_250 }, (_, at) => here(`s-${at}`)) });
    expect(rig.held()).toHaveLength(1_249);
    expect(rig.batches.all.at(-1)?.more).toBeUndefined();
    expect(rig.batches.synced, 'of the first batch something is missing').toBe(false);
    expect(rig.batches.unlisted).toBe('named');
    expect(rig.lines()).toEqual([failedLine]);
    rig.rejected.clear();
    rig.clock.advance(5_000);
    await rig.retried();
    expect(rig.held()).toHaveLength(1_250);
    expect(rig.batches.synced).toBe(true);
    expect(rig.lines()).toEqual([failedLine, 'what could not be applied is applied now']);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('gets a deletion until it accepts it, with one line in the log', async () => {
    const rig = startDelivery();
    await rig.deliver({ ...whole, changes: [here('granted')] });
    rig.rejected.add('granted');
    await rig.deliver({ changes: [gone('granted')], synced: true });
    for (let time = 0; time < 3; time += 1) rig.clock.advance(5_000);
    await rig.retried();
    expect(rig.held()).toEqual(['granted']);
    expect(rig.lines()).toEqual([failedLine]);
    rig.rejected.clear();
    rig.clock.advance(5_000);
    await rig.retried();
    expect(rig.held()).toEqual([]);
  });

  it('gets the newest of its changes, with the next batch', async () => {
    const rig = startDelivery();
    await rig.deliver({ ...whole, changes: [] });
    rig.rejected.add('a');
    await rig.deliver({ changes: [here('a'), here('b')], synced: true });
    rig.rejected.clear();
    await rig.deliver({ changes: [gone('a')], synced: true });
    expect(rig.batches.all.at(-1)?.changes).toEqual([gone('a')]);
    expect(rig.held()).toEqual(['b']);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('gets nothing more after the stop', async () => {
    const rig = startDelivery();
    rig.rejected.add('a');
    await rig.deliver({ ...whole, changes: [here('a')] });
    rig.delivery.stop();
    expect(rig.clock.waiting()).toEqual([]);
  });
});
