import { renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import type { ManifestFile } from '../../../../src/source/files/manifest/manifest-file.ts';
import {
  type Manifest,
  type PlacedObject,
  parseManifest,
} from '../../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../../src/source/files/manifest-store.ts';
import { ManifestLoader } from '../../../../src/source/files/parsing/manifest-loader.ts';
import { parseInWorker } from '../../../../src/source/files/parsing/parse-in-worker.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { documents, namespaceText, serviceText } from '../manifests.ts';

const never = new AbortController().signal;
const enough = { time: 60_000, memory: 256 };

/** A mapping of this many keys. */
function keys(count: number): string {
  return Array.from({ length: count }, (_, at) => `k${at}:\n`).join('');
}

/** Parses a text, with all of its objects. @param taken is called with the number of each piece of them */
async function parse(
  text: string,
  limits = enough,
  clock: Clock = systemClock,
  taken: (objects: number) => void = () => undefined,
): Promise<Manifest | undefined> {
  const objects: PlacedObject[] = [];
  const end = await parseInWorker({ text, namespaces: [] }, limits, clock, never, (some) => {
    objects.push(...some);
    taken(some.length);
  });
  return end?.ok === true ? { ...end, objects } : end;
}

describe('a worker', () => {
  it('returns what the main thread would: objects, places and messages', async () => {
    const text = documents(
      serviceText('a'),
      namespaceText('b', 'team: red, __proto__: x, stage: yes'),
      'kind: 5\n',
      'apiVersion: v1\nkind: Namespace\nmetadata: {<<: {name: c}}\n',
    );
    expect(await parse(text)).toEqual(parseManifest(text, []));
    expect(await parse(`${text}---\n"`)).toEqual(parseManifest(`${text}---\n"`, []));
  });

  it('returns many objects in pieces, each in a turn of the event loop of its own', async () => {
    const text = documents(...Array.from({ length: 625 }, (_, at) => serviceText(`s${at}`)));
    let turn = 0;
    const turns: number[] = [];
    const pieces: number[] = [];
    const next = (): void => {
      turn += 1;
      counting = globalThis.setImmediate(next);
    };
    let counting = globalThis.setImmediate(next);
    const parsed = await parse(text, enough, systemClock, (objects) => {
      pieces.push(objects);
      turns.push(turn);
    });
    clearImmediate(counting);
    expect(parsed).toEqual(parseManifest(text, []));
    expect(pieces).toEqual([250, 250, 125]);
    expect(new Set(turns).size).toBe(3);
  });

  it('that needs too much memory makes its text one that does not parse, and harms nothing else', async () => {
    const reason = 'To parse the file takes more than 16 MiB of memory: split it.';
    const text = `${keys(200_000)}---\n${serviceText('last')}`;
    const failed = await parse(text, { time: 60_000, memory: 16 });
    // It has more different words than are kept.
    expect(failed).toMatchObject({ ok: false, reason, possible: 'any' });
    const short = await parse(`${'- [x]\n'.repeat(100_000)}---\n${serviceText('last')}`, { time: 60_000, memory: 16 });
    const possible = short?.ok === false && short.possible !== 'any' ? short.possible.names.get('Service') : undefined;
    expect(possible?.has('last')).toBe(true);
    expect(await parse(serviceText('a'))).toMatchObject({ ok: true });
  });

  it('that is ended between its result and its exit has none', async () => {
    const abort = new AbortController();
    // The timer that watches it is cancelled with its result.
    const clock: Clock = { ...systemClock, after: () => () => abort.abort() };
    const task = { text: serviceText('a'), namespaces: [] };
    expect(await parseInWorker(task, enough, clock, abort.signal, () => undefined)).toBeUndefined();
    expect(abort.signal.aborted).toBe(true);
  });

  it('that takes too long by its processor is ended', async () => {
    const reason = 'To parse the file takes more than 0.001 s: split it.';
    const impatient: Clock = { ...systemClock, after: (_, run) => systemClock.after(1, run) };
    expect(await parse(keys(200_000), { time: 1, memory: 256 }, impatient)).toMatchObject({ ok: false, reason });
  });

  it('that does not say what it took is ended after ten times as long', async () => {
    const clock = createManualClock();
    const parsing = parse(keys(200_000), { time: 60_000, memory: 256 }, clock);
    clock.advance(600_251);
    expect(await parsing).toMatchObject({ ok: false, reason: 'To parse the file takes more than 60 s: split it.' });
    expect(clock.waiting()).toEqual([]);
  });
});

it('a small file that is deleted before its turn to be parsed does not count', async () => {
  const [log, counters] = [createRecordedLog(), createRecordedCounters()];
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const loader = new ManifestLoader({ store, namespaces: [], clock: systemClock, log, counters });
  const load = (name: string): Promise<void> => loader.load(fileOf(name), { ok: true, text: serviceText(name) });
  const loading = [load('a'), load('b')];
  loader.remove(fileOf('a'));
  await Promise.all(loading);
  expect(store.takeBatch()?.changes.map(({ key }) => key)).toEqual(['default/b']);
});

it('a file that becomes unreadable while its objects are replaced keeps those of one content, and not of two', async () => {
  const [log, counters] = [createRecordedLog(), createRecordedCounters()];
  const store = new ManifestStore({ roots: ['folder'], log, counters });
  const loader = new ManifestLoader({ store, namespaces: [], clock: systemClock, log, counters });
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
    save(folder, 'a.yaml', documents(serviceText('a'), keys(50_000)));
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
    save(folder, 'a.yaml', `${keys(2000)}"`);
    const files = await startFiles([folder]);
    expect(files.problems()).toHaveLength(1);
    save(folder, 'part', documents(serviceText('a'), keys(50_000)));
    renameSync(join(folder, 'part'), join(folder, 'a.yaml'));
    save(folder, 'b.yaml', serviceText('b'));
    await files.until(() => files.port('default/b') === 80);
    expect(files.port('default/a')).toBeUndefined();
    await files.until(() => files.port('default/a') === 80);
  });

  it('that is replaced or deleted meanwhile counts for nothing', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', `${keys(2000)}"`);
    save(folder, 'b.yaml', `${keys(2000)}"`);
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', documents(serviceText('a', 1), keys(50_000)));
    save(folder, 'b.yaml', documents(serviceText('b', 1), keys(50_000)));
    await files.scanned();
    save(folder, 'a.yaml', serviceText('a', 2));
    save(folder, 'b.yaml', serviceText('b', 2));
    await files.until(() => files.port('default/a') === 2 && files.port('default/b') === 2);
    save(folder, 'c.yaml', serviceText('c').padEnd(10_000, '#'));
    await files.until(() => files.port('default/c') === 80);
    expect([files.port('default/a'), files.port('default/b')]).toEqual([2, 2]);
  });

  it('delays the start until it is parsed, and its worker ends with the source', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', documents(serviceText('a'), keys(50_000)));
    const clock = createManualClock();
    const files = await startFiles([folder], { clock });
    expect(files.synced).toBe(true);
    save(folder, 'a.yaml', documents(serviceText('a', 1), keys(200_000)));
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
  save(folder, 'a.yaml', documents(serviceText('a'), keys(50_000)));
  save(folder, 'b.yaml', serviceText('b'));
  await files.until(() => files.port('default/b') === 80);
  expect(files.port('default/a')).toBeUndefined();
  await files.until(() => files.port('default/a') === 80);
});

describe('many large files', () => {
  const large = (name: string, port = 1): string => documents(serviceText(name, port), keys(10_000));
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
    put(folder, 'short.yaml', documents(serviceText('short', 1), keys(2_000)));
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
