import { renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import type { ManifestFile } from '../../../../src/source/files/manifest/manifest-file.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../../src/source/files/manifest-store.ts';
import { ManifestLoader } from '../../../../src/source/files/parsing/manifest-loader.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { documents, keysText, serviceText } from '../manifests.ts';

it('a small file that is deleted before its turn to be parsed does not count', async () => {
  const [log, counters] = [createRecordedLog(), createRecordedCounters()];
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const loader = new ManifestLoader({ store, parse: parseManifest, namespaces: [], clock: systemClock, log, counters });
  const load = (name: string): Promise<void> => loader.load(fileOf(name), { ok: true, text: serviceText(name) });
  const loading = [load('a'), load('b')];
  loader.remove(fileOf('a'));
  await Promise.all(loading);
  expect(store.takeBatch()?.changes.map(({ key }) => key)).toEqual(['default/b']);
});

it('a text on which the parser fails does not parse, and those after it do', async () => {
  const [log, counters] = [createRecordedLog(), createRecordedCounters()];
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const parse: typeof parseManifest = (text, namespaces) => {
    if (text.includes('name: a')) throw new RangeError('Maximum call stack size exceeded');
    return parseManifest(text, namespaces);
  };
  const loader = new ManifestLoader({ store, parse, namespaces: [], clock: systemClock, log, counters });
  await Promise.all(['a', 'b'].map((name) => loader.load(fileOf(name), { ok: true, text: serviceText(name) })));
  expect(store.takeBatch()?.changes.map(({ key }) => key)).toEqual(['default/b']);
  expect(store.diagnostics().map(({ message }) => message)).toEqual([
    expect.stringContaining('To parse the file fails (RangeError: Maximum call stack size exceeded).'),
  ]);
});

it('a file that becomes unreadable while its objects are replaced keeps those of one content, and not of two', async () => {
  const [log, counters] = [createRecordedLog(), createRecordedCounters()];
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const loader = new ManifestLoader({ store, parse: parseManifest, namespaces: [], clock: systemClock, log, counters });
  const file = fileOf('large');
  const services = (port: number): string =>
    documents(...Array.from({ length: 8_000 }, (_, index) => serviceText(`s${index}`, port)));
  await loader.load(file, { ok: true, text: services(1) }, true);
  await firstValueFrom(loader.loaded);
  const held = new Map<string, string>();
  const take = (): void => {
    for (const { changes } of store.takeBatches()) {
      for (const { key, resource } of changes) {
        held.set(key, JSON.stringify(resource?.kind === 'Service' && resource.mcpPorts));
      }
    }
  };
  take();
  const before = new Set(held.values());
  expect([held.size, before.size]).toEqual([8_000, 1]);
  const replacing = new Promise<void>((resolve) => {
    const { setObjectsInPieces } = store;
    vi.spyOn(store, 'setObjectsInPieces').mockImplementation(function* (...parts) {
      let pieces = 0;
      for (const _ of Reflect.apply(setObjectsInPieces, store, parts)) {
        pieces += 1;
        if (pieces === 2) resolve();
        yield;
      }
    });
  });
  await loader.load(file, { ok: true, text: services(2) }, true);
  await replacing;
  await loader.load(file, { ok: false, reason: 'on purpose', possible: 'any' });
  take();
  const after = new Set(held.values());
  expect(after.size).toBe(1);
  expect(after).not.toEqual(before);
  await loader.stop();
});

const fileOf = (name: string): ManifestFile => ({ root: 0, name, path: `folder/${name}`, realPath: `/folder/${name}` });

describe('a long file', () => {
  it('leaves the event loop its turns while it is parsed', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    let turns = 0;
    save(folder, 'a.yaml', documents(serviceText('a'), keysText(50_000)));
    for (const delivered = files.until(() => files.port('default/a') === 80); ; turns += 1) {
      if ((await Promise.race([delivered.then(() => 'delivered'), setImmediate('turn')])) === 'delivered') break;
    }
    expect(turns).toBeGreaterThan(100);
    expect(files.work().parses).toBe(1);
  });

  it('is one batch with the files that were saved with it', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', serviceText('a').padEnd(10_000, '#'));
    save(folder, 'b.yaml', serviceText('b'));
    await files.until(() => files.port('default/a') === 80);
    expect(files.all).toHaveLength(2);
  });

  it('that did not parse is not waited for by the changes of other files', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', `${keysText(2000)}"`);
    const files = await startFiles([folder]);
    expect(files.problems()).toHaveLength(1);
    save(folder, 'part', documents(serviceText('a'), keysText(50_000)));
    renameSync(join(folder, 'part'), join(folder, 'a.yaml'));
    save(folder, 'b.yaml', serviceText('b'));
    await files.until(() => files.port('default/b') === 80);
    expect(files.port('default/a')).toBeUndefined();
    await files.until(() => files.port('default/a') === 80);
  });

  it('that is replaced or deleted meanwhile counts for nothing', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', `${keysText(2000)}"`);
    save(folder, 'b.yaml', `${keysText(2000)}"`);
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', documents(serviceText('a', 1), keysText(50_000)));
    save(folder, 'b.yaml', documents(serviceText('b', 1), keysText(50_000)));
    await files.scanned();
    save(folder, 'a.yaml', serviceText('a', 2));
    save(folder, 'b.yaml', serviceText('b', 2));
    await files.until(() => files.port('default/a') === 2 && files.port('default/b') === 2);
    save(folder, 'c.yaml', serviceText('c').padEnd(10_000, '#'));
    await files.until(() => files.port('default/c') === 80);
    expect([files.port('default/a'), files.port('default/b')]).toEqual([2, 2]);
  });

  it('delays the start until it is parsed, and its process ends with the source', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', documents(serviceText('a'), keysText(50_000)));
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    expect(files.synced).toBe(true);
    save(folder, 'a.yaml', documents(serviceText('a', 1), keysText(200_000)));
    await clock.armed(3);
    clock.advance(25);
    while (files.work().parses === 1) await setImmediate();
    await files.stop();
    expect(files.port('default/a')).toBe(80);
    expect(clock.waiting()).toEqual([]);
  });
});

it('a long file is waited for by the files that were saved with it for 250 ms, and counts when it is parsed', async () => {
  const folder = temporaryFolder();
  // They are over at once.
  const after: Clock['after'] = (delay, run) => (delay > 500 ? () => {} : systemClock.after(delay % 250, run));
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + 1_000, after };
  save(folder, 'c.yaml', serviceText('c'));
  const files = await startFiles([folder], { clock });
  await files.until(() => files.port('default/c') === 80);
  save(folder, 'a.yaml', documents(serviceText('a'), keysText(50_000)));
  save(folder, 'b.yaml', serviceText('b'));
  await files.until(() => files.port('default/b') === 80);
  expect(files.port('default/a')).toBeUndefined();
  await files.until(() => files.port('default/a') === 80);
});

describe('many large files', () => {
  const large = (name: string, port = 1): string => documents(serviceText(name, port), keysText(10_000));
  const put = (folder: string, name: string, text: string): void => {
    save(folder, 'part', text);
    renameSync(join(folder, 'part'), join(folder, name));
  };

  it('are parsed one after another, do not hold up small ones, and one line of the log tells of them', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    for (let index = 0; index < 12; index += 1) put(folder, `l${index}.yaml`, large(`l${index}`));
    while (files.work().reads < 3) await setImmediate();
    put(folder, 'small.yaml', serviceText('small', 1));
    await files.until(() => files.port('default/small') === 1);
    expect(files.resources.size).toBeLessThan(6);
    expect(files.work().reads).toBeLessThan(8);
    await files.until(() => files.resources.size === 13);
    const lines = files.log.lines.filter(({ message }) => message.includes('wait to be parsed'));
    expect(lines).toHaveLength(1);
    // Each is read once, whatever was parsed meanwhile.
    expect(files.work().reads).toBe(13);
    const looks = files.counters.total('gatehouse_source_looks_total', { by: 'change' });
    expect(looks).toBeLessThan(40);
  });

  it('do not hold up one that is shorter, and behind them', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    for (let index = 0; index < 12; index += 1) put(folder, `l${index}.yaml`, large(`l${index}`));
    while (files.work().reads < 3) await setImmediate();
    put(folder, 'short.yaml', documents(serviceText('short', 1), keysText(2_000)));
    await files.until(() => files.port('default/short') === 1);
    expect(files.resources.size).toBeLessThan(6);
    await files.until(() => files.resources.size === 13);
  });

  it('of one root do not hold up those of another', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    const files = await startFiles([other, folder]);
    for (let index = 0; index < 12; index += 1) put(other, `l${index}.yaml`, large(`l${index}`));
    while (files.work().reads < 2) await setImmediate();
    put(folder, 'mine.yaml', large('mine'));
    await files.until(() => files.port('default/mine') === 1);
    expect(files.resources.size).toBeLessThan(8);
    for (let index = 0; index < 12; index += 1) unlinkSync(join(other, `l${index}.yaml`));
    put(other, 'last.yaml', large('last'));
    await files.until(() => files.port('default/last') === 1);
    expect([...files.resources.keys()].toSorted()).toEqual(['Service default/last', 'Service default/mine']);
  });

  it('delay the start until all are parsed', async () => {
    const folder = temporaryFolder();
    for (let index = 0; index < 6; index += 1) save(folder, `l${index}.yaml`, large(`l${index}`));
    const files = await startFiles([folder]);
    await files.until(() => files.synced);
    expect(files.resources.size).toBe(6);
  });
});

it('a tag of a million characters makes one short line', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', '!'.repeat(1_000_000));
  const files = await startFiles([folder]);
  expect(files.log.lines).toHaveLength(1);
  expect(files.log.text().length).toBeLessThan(1000);
});
