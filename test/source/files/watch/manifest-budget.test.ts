import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames } from '../../../../src/source/files/manifest/manifest-file.ts';
import { ManifestBudget } from '../../../../src/source/files/watch/manifest-budget.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';
import { scannersOf } from './scan-rig.ts';

describe('a budget', () => {
  const budgetOf = (sizes: Readonly<Record<string, number>>, isCut = false): ManifestBudget => {
    const budget = new ManifestBudget({ bytes: 10, files: 3 });
    budget.list(0, Object.keys(sizes), isCut);
    for (const [name, size] of Object.entries(sizes)) budget.set(0, name, size);
    return budget;
  };
  const admitted = (budget: ManifestBudget, names: readonly string[], root = 0): readonly string[] =>
    names.filter((name) => budget.admits(root, name));

  it('admits files in their order, up to the first that does not fit, and none after it', () => {
    const budget = budgetOf({ a: 4, b: 5, c: 2, d: 1 });
    expect(admitted(budget, ['a', 'b', 'c', 'd'])).toEqual(['a', 'b']);
    budget.set(0, 'b', 6);
    expect(admitted(budget, ['a', 'b', 'c', 'd'])).toEqual(['a', 'b']);
    budget.set(0, 'a', 0);
    expect(admitted(budget, ['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'c']);
    budget.remove(0, 'b');
    expect(admitted(budget, ['a', 'c', 'd'])).toEqual(['a', 'c', 'd']);
    budget.set(0, 'B', 0);
    expect(admitted(budget, ['B', 'a', 'c', 'd'])).toEqual(['B', 'a', 'c']);
  });

  it('is one for all roots, and none after one with more files than are listed has room', () => {
    const budget = budgetOf({ a: 4 });
    budget.set(1, 'a', 7);
    expect([...admitted(budget, ['a']), ...admitted(budget, ['a'], 1)]).toEqual(['a']);
    budget.set(1, 'a', 6);
    expect(admitted(budget, ['a'], 1)).toEqual(['a']);
    budget.setCut(0, true);
    expect([...admitted(budget, ['a']), ...admitted(budget, ['a'], 1)]).toEqual(['a']);
    for (const name of ['b', 'c', 'd']) budget.set(0, name, 0);
    expect(['d', 'e'].map((name) => budget.isBeyondList(0, name))).toEqual([false, true]);
    expect(budget.isBeyondList(1, 'e')).toBe(false);
  });

  it('counts an object with a least size once its file is parsed, until the file has another size', () => {
    const budget = new ManifestBudget({ bytes: 10, files: 3, object: 3 });
    for (const name of ['a', 'b', 'c']) budget.set(0, name, 2);
    expect(admitted(budget, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    budget.setObjects(0, 'b', 3);
    expect(admitted(budget, ['a', 'b', 'c'])).toEqual(['a']);
    budget.set(0, 'b', 2);
    expect(admitted(budget, ['a', 'b', 'c'])).toEqual(['a']);
    budget.set(0, 'b', 1);
    expect(admitted(budget, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
  });

  it('orders names as their bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
    expect(compareNames('\u{10000}', '\uffff')).toBeGreaterThan(0);
  });
});

const size = serviceText('a').length;

describe('which files are read', () => {
  it('depends on what is in the folders alone, in whatever order it came', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
    const change = fc.record({
      root: fc.constantFrom(0, 1),
      name: fc.constantFrom(...names),
      bytes: fc.constantFrom(undefined, 0, size, 2 * size),
      seen: fc.constantFrom('change', 'check', 'all', 'later'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 14 }), fc.constantFrom(0, 2 * size), async (changes, object) => {
        const folders = [temporaryFolder(), temporaryFolder()];
        const limits = { bytes: 4 * size + 10, files: 4, object };
        const rig = scannersOf(folders, limits);
        await rig.scan();
        for (const { root, name, bytes, seen } of changes) {
          const path = join(folders[root] ?? '', `${name}.yaml`);
          if (bytes === undefined) rmSync(path, { force: true });
          else save(folders[root] ?? '', `${name}.yaml`, `${serviceText(name, root + 1)}#`.padEnd(size + bytes, '#'));
          if (seen === 'change') await rig.scan(new Set([`${name}.yaml`]));
          if (seen === 'check') await rig.scan(await rig.check());
          if (seen === 'all') await rig.scan();
        }
        await rig.scan();
        const anew = scannersOf(folders, limits);
        await anew.scan();
        expect(rig.services()).toEqual(anew.services());
        expect(rig.messages()).toEqual(anew.messages());
      }),
      { numRuns: 60 },
    );
  });

  it('follows from the names: the first ones, also when others were there before', async () => {
    const folder = temporaryFolder();
    for (const name of ['c', 'd', 'e']) save(folder, `${name}.yaml`, serviceText(name));
    const rig = scannersOf([folder], { bytes: 10 * size, files: 2 });
    await rig.scan();
    expect(rig.services()).toEqual(['Service default/c', 'Service default/d']);
    expect(rig.messages()).toEqual([expect.stringMatching(/^"e\.yaml" and all files after it are not read: /)]);
    for (const name of ['a', 'f']) save(folder, `${name}.yaml`, serviceText(name));
    await rig.scan(new Set(['a.yaml', 'f.yaml']));
    expect(rig.services()).toEqual(['Service default/a', 'Service default/c']);
    for (const name of ['a', 'c']) unlinkSync(join(folder, `${name}.yaml`));
    await rig.scan(new Set(['a.yaml', 'c.yaml']));
    await rig.scan(await rig.check());
    expect(rig.services()).toEqual(['Service default/d', 'Service default/e']);
  });
});

describe('a change beside many files', () => {
  it('costs a look at its file, however many there are', async () => {
    const folder = temporaryFolder();
    for (let at = 0; at < 300; at += 1) save(folder, `m${at}.yaml`, '');
    const rig = scannersOf([folder], { bytes: 10_000, files: 200 });
    await rig.scan();
    const before = rig.looks('change');
    expect(before).toBe(201);
    save(folder, 'a.yaml', serviceText('a'));
    await rig.scan(new Set(['a.yaml']));
    expect(rig.services()).toEqual(['Service default/a']);
    save(folder, 'z.yaml', serviceText('z'));
    await rig.scan(new Set(['z.yaml']));
    expect(rig.looks('change')).toBe(before + 1);
  });

  it('does not wait for the look at all of them, which goes on beside it and finds what no event told', async () => {
    const folder = temporaryFolder();
    for (let at = 0; at < 300; at += 1) save(folder, `m${at}.yaml`, '');
    const rig = scannersOf([folder], { bytes: 100_000, files: 1_000 });
    await rig.scan();
    const before = rig.looks('change');
    const checked = rig.check();
    save(folder, 'a.yaml', serviceText('a'));
    await rig.scan(new Set(['a.yaml']));
    expect(rig.looks('check')).toBeLessThan(300);
    expect(rig.services()).toEqual(['Service default/a']);
    await checked;
    expect(rig.looks('check')).toBeGreaterThanOrEqual(300);
    save(folder, 'b.yaml', serviceText('b'));
    unlinkSync(join(folder, 'a.yaml'));
    expect(await rig.check()).toEqual(new Set(['a.yaml', 'b.yaml']));
    await rig.scan(new Set(['a.yaml', 'b.yaml']));
    expect(rig.services()).toEqual(['Service default/b']);
    expect(await rig.check()).toEqual(new Set());
    expect(rig.looks('change')).toBe(before + 3);
  });
});

it('links that fail are not scanned again by each check, unless they fail otherwise', async () => {
  const folder = temporaryFolder();
  save(folder, 'real.txt', serviceText('real'));
  for (const name of ['m', 'n']) symlinkSync(`${name}.yaml`, join(folder, `${name}.yaml`));
  symlinkSync('real.txt/below', join(folder, 'o.yaml'));
  for (const files of [10, 1]) {
    const rig = scannersOf([folder], { bytes: 10_000, files });
    await rig.scan();
    expect(await rig.check()).toEqual(new Set());
    unlinkSync(join(folder, 'm.yaml'));
    symlinkSync('real.txt', join(folder, 'm.yaml'));
    expect(await rig.check()).toEqual(new Set(['m.yaml']));
    unlinkSync(join(folder, 'm.yaml'));
    symlinkSync('m.yaml', join(folder, 'm.yaml'));
  }
});

describe('names that others put out of the listing', () => {
  it('are not looked at, also by later checks', async () => {
    const folder = temporaryFolder();
    for (let at = 100; at < 150; at += 1) save(folder, `m${at}.yaml`, serviceText(`m${at}`));
    for (let at = 100; at < 150; at += 1)
      symlinkSync(at % 2 === 0 ? `m${at}.yaml` : 'nowhere', join(folder, `n${at}.yaml`));
    const rig = scannersOf([folder], { bytes: 1_000_000, files: 100 });
    await rig.scan();
    expect(rig.services()).toHaveLength(50);
    const created = Array.from({ length: 80 }, (_, at) => `a${100 + at}.yaml`);
    for (const name of created) save(folder, name, serviceText(name.slice(0, 4)));
    await rig.scan(new Set(created));
    const before = rig.looks('change');
    expect(await rig.check()).toEqual(new Set());
    await rig.scan(await rig.check());
    expect(rig.looks('change')).toBe(before);
    expect(rig.looks('check')).toBe(2 * 101);
    expect(rig.services()).toHaveLength(100);
    for (const name of created) unlinkSync(join(folder, name));
    for (let round = 0; round < 2; round += 1) await rig.scan(await rig.check());
    expect(rig.services()).toHaveLength(50);
    expect(rig.messages()).toEqual([]);
  });

  it('leave what they define unknown at once', async () => {
    const folder = temporaryFolder();
    for (const name of ['k', 'm']) save(folder, `${name}.yaml`, serviceText(name));
    const rig = scannersOf([folder], { bytes: 100_000, files: 2 });
    await rig.scan();
    expect([rig.services().length, rig.deliver().unlisted]).toEqual([2, 'named']);
    for (const name of ['a', 'b', 'c']) save(folder, `${name}.yaml`, '');
    await rig.check();
    expect([rig.deliver().unlisted, rig.services()]).toEqual(['unknown', []]);
  });
});

it.each([
  ['at once', 0],
  ['once they have stood still', 1000],
])('many changes are taken over in parts of a second, first of files that count already, %s', async (_, settle) => {
  const folder = temporaryFolder();
  save(folder, 'z.yaml', serviceText('z', 1));
  const rig = scannersOf([folder], { bytes: 1_000_000, files: 1_000 }, { readTime: 100, settle });
  await rig.scan();
  const names = Array.from({ length: 40 }, (__, at) => `m${at}`);
  for (const name of names) save(folder, `${name}.yaml`, serviceText(name));
  save(folder, 'z.yaml', `${serviceText('z', 2)}---\n${serviceText('more')}`);
  const scope = new Set([...names, 'z'].map((name) => `${name}.yaml`));
  if (settle > 0) expect(await rig.scan(scope)).toEqual([]);
  rig.pass(settle);
  let left: readonly string[] = await rig.scan(scope);
  expect(rig.services()).toContain('Service default/more');
  expect(left.length).toBeGreaterThanOrEqual(20);
  while (left.length > 0) left = await rig.scan(new Set(left));
  expect(rig.services()).toHaveLength(42);
});

it('a scan ends early once others wait, and when a scan before has left some of it', async () => {
  const folder = temporaryFolder();
  const rig = scannersOf([folder], { bytes: 1_000_000, files: 1_000 }, { readTime: 10 });
  await rig.scan();
  const names = Array.from({ length: 40 }, (_, at) => `m${at + 10}.yaml`);
  for (const name of names) save(folder, name, serviceText(name.slice(0, 3)));
  const left = await rig.scan(new Set(names), [], true);
  expect(left).toEqual(names.slice(8));
  save(folder, 'a.yaml', serviceText('a'));
  expect(await rig.scan(new Set(['a.yaml']), left)).toEqual([...names.slice(16), 'a.yaml']);
  expect(await rig.scan(new Set([...names, 'a.yaml']))).toEqual([]);
});

it('files beyond what is read are left out with one error, and are read once there is room', async () => {
  const folder = temporaryFolder();
  for (const name of ['a', 'b']) save(folder, `${name}.yaml`, serviceText(name));
  const files = await startFiles([folder], { budget: new ManifestBudget({ bytes: 3 * size, files: 3, object: 0 }) });
  expect(files.problems()).toEqual([]);
  save(folder, 'b.yaml', `${serviceText('b', 81)}# ${'x'.repeat(2 * size)}\n`);
  await files.log.line('"b.yaml" and all files after it are not read');
  expect([files.port('default/b'), files.synced, files.unlisted]).toEqual([undefined, true, 'unknown']);
  for (const name of ['c', 'd', 'e']) save(folder, `${name}.yaml`, serviceText(name));
  save(folder, 'b.yaml', serviceText('b', 82));
  await files.until(() => files.resources.size === 3);
  expect(files.problems()).toEqual([expect.stringMatching(/"d\.yaml" and all .* 3 files, in all\. Remove some/)]);
  for (const name of ['b', 'c', 'd', 'e']) unlinkSync(join(folder, `${name}.yaml`));
  save(folder, 'a.yaml', serviceText('a', 82));
  await files.until(() => files.port('default/a') === 82 && files.unlisted === 'named');
  expect(files.problems()).toEqual([]);
});

it('a start with too many files is no start without them: selectors match no namespace that may be in one', async () => {
  const folder = temporaryFolder();
  for (const name of ['a', 'b', 'c']) save(folder, `${name}.yaml`, serviceText(name));
  const files = await startFiles([folder], { budget: new ManifestBudget({ bytes: 1_000_000, files: 2 }) });
  expect(files).toMatchObject({ synced: true, unlisted: 'unknown' });
  expect(files.resources.size).toBe(2);
});

it('a file without room is not waited for as a new one: what may be in it stays unknown, also when the root is gone', async () => {
  const folder = temporaryFolder();
  for (const name of ['a', 'b']) save(folder, `${name}.yaml`, serviceText(name));
  const clock = createManualClock(Date.now() + 60_000);
  const budget = new ManifestBudget({ bytes: size, files: 9 });
  const files = await startFiles([folder], { clock, settle: 1000, budget });
  const wait = async (milliseconds: number): Promise<void> => {
    const scanned = files.scanned();
    clock.advance(milliseconds);
    await scanned;
  };
  expect(files.unlisted).toBe('unknown');
  await wait(25);
  rmSync(folder, { recursive: true });
  await wait(5000);
  const problems = files.problems().toSorted();
  expect(problems).toEqual([expect.stringContaining(' not read'), expect.stringContaining('does not exist')]);
  expect(files.all.map(({ unlistedNamespaces }) => unlistedNamespaces)).toEqual(['unknown']);
});

it('a file that is too large itself takes no room, and a sparse one of a gigabyte hides nothing', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', '');
  truncateSync(join(folder, 'a.yaml'), 2 ** 30);
  save(folder, 'b.yaml', serviceText('b'));
  const files = await startFiles([folder], { budget: new ManifestBudget({ bytes: 2 * size, files: 2, object: 0 }) });
  expect(files.problems()).toEqual([expect.stringContaining('has 1073741824 bytes')]);
  expect(files.port('default/b')).toBe(80);
});

it('a file that is replaced by a folder is deleted', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', serviceText('a'));
  const files = await startFiles([folder]);
  mkdirSync(join(folder, 'new'));
  unlinkSync(join(folder, 'a.yaml'));
  renameSync(join(folder, 'new'), join(folder, 'a.yaml'));
  await files.until(() => files.resources.size === 0);
  expect(files.problems()).toEqual([]);
});

it('small objects count as more than their bytes: a file that has too many is left out, also when it is looked at again', async () => {
  const folder = temporaryFolder();
  const many = (prefix: string, count: number): string =>
    Array.from({ length: count }, (_, at) => serviceText(`${prefix}${at}`)).join('---\n');
  save(folder, 'a.yaml', many('a', 100));
  save(folder, 'b.yaml', many('b', 200));
  const files = await startFiles([folder], { budget: new ManifestBudget({ object: 512, bytes: 512 * 250 }) });
  await files.log.line('"b.yaml" and all files after it are not read');
  // The second may be parsed first, and counts until the first is.
  await files.until(() => files.resources.size === 100);
  save(folder, 'c.yaml', serviceText('c'));
  save(folder, 'a.yaml', many('a', 99));
  await files.until(() => files.resources.size === 99);
  save(folder, 'b.yaml', many('b', 150));
  await files.until(() => files.resources.size === 250);
  expect(files.problems()).toEqual([]);
});
