import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileSource } from '../../src/source/source.ts';
import { createBatches } from '../support/batches.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { systemClock } from '../support/system-clock.ts';
import { createFolder, save, startFiles } from './file-rig.ts';
import { serviceText } from './manifests.ts';

describe('time', () => {
  it('brings to light what no event tells', async () => {
    const folder = createFolder();
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

  it('passes before a storm of events costs one read', async () => {
    const folder = createFolder();
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    const { reads } = files.work();
    clock.advance(25);
    for (let port = 1; port <= 500; port += 1) save(folder, 'a.yaml', serviceText('a', port));
    // The look by the clock, the quiet and its ceiling.
    await clock.armed(3);
    clock.advance(25);
    await files.until(() => files.port('default/a') === 500);
    expect(files.work().reads).toBe(reads + 1);
  });
});

describe('an end', () => {
  /** How often this process watches a folder, as Linux tells. */
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
    const folder = createFolder();
    const files = await startFiles([folder]);
    expect(watches(folder)).toBe(1);
    await files.stop();
    expect(watches(folder)).toBe(0);
    await files.stop();
  });

  it('delivers nothing any more, and leaves no timer behind', async () => {
    const folder = createFolder();
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    save(folder, 'a.yaml', serviceText('a'));
    await clock.armed(3);
    await files.stop();
    expect(clock.waiting()).toEqual([]);
    clock.advance(10_000);
    expect(files.all).toHaveLength(1);
  });
});

it('a consumer that throws is logged, and told what comes next', async () => {
  const folder = createFolder();
  const log = createRecordedLog();
  const batches = createBatches();
  const source = fileSource({ roots: [folder], clock: systemClock, log });
  const stop = await source.start((batch) => {
    batches.deliver(batch);
    if (batches.all.length === 1) throw new Error('not today');
  });
  onTestFinished(stop);
  expect(log.text()).toContain('not today');
  save(folder, 'a.yaml', serviceText('a'));
  await batches.until(() => batches.resources.size === 1);
});
