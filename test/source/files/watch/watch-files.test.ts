import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock, Counters } from '../../../../src/edges.ts';
import { fileSource } from '../../../../src/source/source.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { createBatches } from '../../../support/worlds/batches.ts';
import { save, startFiles } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';

describe('the periodic scan', () => {
  it('finds changes without events', async () => {
    const folder = temporaryFolder();
    for (const [at, name] of ['now', 'next'].entries()) {
      mkdirSync(join(folder, name, 'root'), { recursive: true });
      save(join(folder, name, 'root'), 'a.yaml', serviceText('a', at + 1));
    }
    const clock = createManualClock();
    const files = await startFiles([join(folder, 'now', 'root')], { clock });
    renameSync(join(folder, 'now'), join(folder, 'last'));
    renameSync(join(folder, 'next'), join(folder, 'now'));
    clock.advance(5000);
    await files.until(() => files.port('default/a') === 2);
  });

  it('and the debounce read a file once for a burst of events', async () => {
    const folder = temporaryFolder();
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    const scanned = files.scanned();
    clock.advance(25);
    await scanned;
    const { reads } = files.work();
    for (let port = 1; port <= 500; port += 1) save(folder, 'a.yaml', serviceText('a', port));
    // The periodic scan, and the idle time and ceiling of the debounce.
    await clock.armed(3);
    clock.advance(25);
    await files.until(() => files.port('default/a') === 500);
    expect(files.work().reads).toBe(reads + 1);
  });
});

const services = (count: number): string =>
  Array.from({ length: count }, (_, at) => serviceText(`s-${at}`, 80)).join('---\n');

it('a file is read between two parts of a change of many objects, and counts then', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', serviceText('old'));
  const counters = createRecordedCounters();
  const reads = (): number => counters.total('gatehouse_source_reads_total');
  // The next part is due when the file is being read, which takes several iterations of the event loop.
  const whenRead = (run: () => void, before: number): void =>
    void setImmediate(() => (reads() > before ? run() : whenRead(run, before)));
  const order: string[] = [];
  const after: Clock['after'] = (milliseconds, run) => {
    if (order.length !== 2 || milliseconds > 0)
      return milliseconds < 50 ? systemClock.after(milliseconds, run) : () => {};
    whenRead(run, reads());
    return () => {};
  };
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + 1_000, after };
  const source = fileSource({ roots: [folder], settle: 0, clock, log: createRecordedLog(), counters });
  const small = Promise.withResolvers<void>();
  const stop = await source.start(({ changes, more = false }) => {
    order.push(`${changes.length}${more ? ' +' : ''}`);
    if (order.length === 2) save(folder, 'small.yaml', serviceText('small'));
    if (order.length > 2 && changes.length === 1) small.resolve();
  });
  onTestFinished(stop);
  save(folder, 'b.yaml', services(500));
  await small.promise;
  expect(order).toEqual(['1', '250 +', '1']);
});

describe('a change of many objects', () => {
  it('is delivered in parts of 250, the first one too, and is synced with the last', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', services(625));
    const files = await startFiles([folder]);
    await files.until(() => files.resources.size === 625);
    // A long file is parsed by a process, and what is read before it is nothing.
    const delivered = (): readonly unknown[] =>
      files.all
        .filter(({ changes }) => changes.length > 0)
        .map(({ changes, more = false, synced }) => [changes.length, more, synced]);
    expect(delivered()).toEqual([
      [250, true, false],
      [250, true, false],
      [125, false, true],
    ]);
    expect(files.unlisted).toBe('named');
    save(folder, 'a.yaml', services(1));
    await files.until(() => files.resources.size === 1);
    expect(delivered().slice(3)).toEqual([
      [250, true, true],
      [250, true, true],
      [124, false, true],
    ]);
  });

  it('is complete although a consumer throws at one of them, which it gets again', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', services(625));
    const batches = createBatches();
    const log = createRecordedLog();
    // A second ahead, so that no file is fresh; what is retried later is retried at once.
    const after: Clock['after'] = (milliseconds, run) =>
      systemClock.after(milliseconds === 5_000 ? 10 : milliseconds, run);
    const clock = { ...systemClock, now: () => systemClock.now() + 1_000, after };
    const counters: Counters = { count: () => {}, gauge: () => {}, observe: () => {} };
    const source = fileSource({ roots: [folder], settle: 0, clock, log, counters });
    let isBroken = true;
    const stop = await source.start((batch) => {
      if (isBroken && batch.changes.some(({ key }) => key === 'default/s-350')) throw new Error('on purpose');
      batches.deliver(batch);
    });
    onTestFinished(stop);
    await batches.until(({ resources, all }) => resources.size === 624 && all.at(-1)?.more === undefined);
    isBroken = false;
    await batches.until(({ resources, synced }) => resources.has('Service default/s-350') && synced);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('stop', () => {
  /** The number of inotify watches of this process on a folder. */
  function watches(folder: string): number {
    const inode = `ino:${statSync(folder).ino.toString(16)} `;
    const inotify = readdirSync('/proc/self/fdinfo').map((fd) => {
      try {
        return readFileSync(join('/proc/self/fdinfo', fd), 'utf8');
      } catch {
        return '';
      }
    });
    return inotify
      .join('\n')
      .split('\n')
      .filter((line) => line.startsWith('inotify') && line.includes(inode)).length;
  }

  it.runIf(process.platform === 'linux')('releases every folder', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    expect(watches(folder)).toBe(1);
    await files.stop();
    expect(watches(folder)).toBe(0);
    await files.stop();
  });

  it('ends deliveries, and leaves no timer behind', async () => {
    const folder = temporaryFolder();
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    save(folder, 'a.yaml', serviceText('a'));
    expect(clock.waiting()).toEqual([25, 500, 5000]);
    clock.advance(25);
    // The scan has begun.
    await files.stop();
    expect(clock.waiting()).toEqual([]);
    save(folder, 'b.yaml', serviceText('b'));
    clock.advance(10_000);
    expect(files.all).toHaveLength(1);
  });
});

it('a change between the scan of a folder and the start of its watch is not missed', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', serviceText('a'));
  let written = false;
  const counters: Counters = {
    count(name) {
      if (name !== 'gatehouse_source_reads_total' || written) return;
      written = true;
      save(folder, 'b.yaml', serviceText('b'));
    },
    gauge: () => undefined,
    observe: () => undefined,
  };
  const batches = createBatches();
  const stop = await fileSource({
    roots: [folder],
    settle: 0,
    clock: systemClock,
    log: createRecordedLog(),
    counters,
  }).start(batches.deliver);
  onTestFinished(stop);
  expect(batches.resources.size).toBe(1);
  await batches.until(() => batches.resources.size === 2);
});

it('a consumer that throws is logged, and gets later batches', async () => {
  const folder = temporaryFolder();
  const log = createRecordedLog();
  const batches = createBatches();
  const source = fileSource({ roots: [folder], settle: 0, clock: systemClock, log });
  const stop = await source.start((batch) => {
    batches.deliver(batch);
    if (batches.all.length === 1) throw new Error('not today');
  });
  onTestFinished(stop);
  expect(log.text()).toContain('not today');
  save(folder, 'a.yaml', serviceText('a'));
  await batches.until(() => batches.resources.size === 1);
});
