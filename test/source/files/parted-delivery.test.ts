import { describe, expect, it } from 'vitest';
import { PartedDelivery } from '../../../src/source/files/parted-delivery.ts';
import type { FileBatch } from '../../../src/source/files/pending-batches.ts';
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
    retry: () => delivering.push(delivery.deliver([])),
  });
  return {
    log,
    clock,
    batches,
    rejected,
    delivery,
    async deliver(batch: Batch): Promise<void> {
      const done = delivery.deliver([{ ...batch, files: 'all' }]);
      const turns = Math.ceil(batch.changes.length / 250);
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
    await rig.deliver({ ...whole, changes: Array.from({ length: 625 }, (_, at) => here(`s-${at}`)) });
    expect(rig.held()).toHaveLength(624);
    expect(rig.batches.all.at(-1)?.more).toBeUndefined();
    expect(rig.batches.synced, 'of the first batch something is missing').toBe(false);
    expect(rig.batches.unlisted).toBe('named');
    expect(rig.lines()).toEqual([failedLine]);
    rig.rejected.clear();
    rig.clock.advance(5_000);
    await rig.retried();
    expect(rig.held()).toHaveLength(625);
    expect(rig.batches.synced).toBe(true);
    expect(rig.lines()).toEqual([failedLine, 'what could not be applied is applied now']);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('gets a deletion until it accepts it, with one line in the log', async () => {
    const rig = startDelivery();
    await rig.deliver({ ...whole, changes: [here('granted')] });
    rig.rejected.add('granted');
    await rig.deliver({ changes: [gone('granted')], synced: true });
    for (let time = 0; time < 3; time += 1) {
      rig.clock.advance(5_000);
      await rig.retried();
    }
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

/** The change of a Service: whether it is there makes no difference to a delivery. */
const service = (name: string): ResourceChange => ({ kind: 'Service', key: name, resource: undefined });

const many = (count: number, make: (name: string) => ResourceChange, file: string): FileBatch => ({
  changes: Array.from({ length: count }, (_, at) => make(`${file}-${at}`)),
  files: new Set([file]),
  synced: true,
});

/** Starts a delivery that is synced, and shows what each batch is of: `+` marks one that does not count yet. */
function startSynced() {
  const rig = startDelivery();
  void rig.delivery.deliver([{ ...whole, changes: [], files: 'all' }]);
  const shown = (): readonly string[] =>
    rig.batches.all.slice(1).map(({ changes, more }) => {
      const of = new Set(changes.map(({ key }) => key.slice(0, key.indexOf('-'))));
      return `${[...of].join()} ${changes.length}${more === true ? ' +' : ''}`;
    });
  /** Delivers these in one go, and then all that is left. */
  const delivered = async (...batches: readonly FileBatch[]): Promise<readonly string[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    const ended = batches.map((batch) => rig.delivery.deliver([batch]));
    let isOver = false;
    void Promise.all(ended).then(() => {
      isOver = true;
    });
    while (!isOver) {
      rig.clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return shown();
  };
  return { ...rig, delivered };
}

describe('a small change while a large one is delivered', () => {
  it('goes between the parts of a change of Services alone, which count from then on', async () => {
    const { delivered } = startSynced();
    const order = await delivered(many(625, service, 'a'), many(1, here, 'b'));
    expect(order).toEqual(['a 250 +', 'b 1', 'a 250 +', 'a 125']);
  });

  it('waits until a change of anything else counts as a whole', async () => {
    const { delivered } = startSynced();
    const order = await delivered(many(625, here, 'a'), many(1, service, 'b'));
    expect(order).toEqual(['a 250 +', 'a 250 +', 'a 125', 'b 1']);
  });

  it('waits if it is of the same file or object, or depends on all files', async () => {
    const end = ['a 250 +', 'a 50'];
    const [first, second, third] = [startSynced(), startSynced(), startSynced()];
    const large = many(300, service, 'a');
    expect(await first.delivered(large, { ...many(1, service, 'b'), files: large.files })).toEqual([...end, 'b 1']);
    expect(await second.delivered(large, { ...many(1, service, 'a'), files: new Set(['b']) })).toEqual([...end, 'a 1']);
    expect(await third.delivered(large, { ...many(1, service, 'b'), files: 'all' })).toEqual([...end, 'b 1']);
  });

  it('is read before the next part', async () => {
    const [clock, batches, read] = [createManualClock(), createBatches(), Promise.withResolvers<void>()];
    const edges = { clock, log: createRecordedLog(), retry: () => undefined };
    const delivery = new PartedDelivery({ ...edges, deliver: batches.deliver, reading: () => read.promise });
    void delivery.deliver([{ ...many(500, service, 'a'), files: 'all' }]);
    clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches.all).toHaveLength(1);
    read.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches.all).toHaveLength(2);
  });

  it('goes before large ones that were not begun, the smallest of which is the next', async () => {
    const { delivered } = startSynced();
    const order = await delivered(
      many(300, here, 'a'),
      many(550, here, 'b'),
      many(350, here, 'c'),
      many(1, here, 'd'),
      many(2, here, 'e'),
    );
    expect(order).toEqual(['a 250 +', 'a 50', 'd,e 3', 'c 250 +', 'c 100', 'b 250 +', 'b 250 +', 'b 50']);
  });
});
