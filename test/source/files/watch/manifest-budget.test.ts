import { rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ManifestBudget } from '../../../../src/source/files/watch/manifest-budget.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';

it('files are counted in place of what they had; one that shrinks always fits, and one that grows a quarter longer', () => {
  const budget = new ManifestBudget({ bytes: 10, files: 2 });
  expect([budget.count('a', 6), budget.count('b', 5), budget.count('b', 4)]).toEqual([true, false, true]);
  expect([budget.count('c', 0), budget.count('a', 9), budget.count('a', 8)]).toEqual([false, false, true]);
  expect([budget.count('b', 5), budget.count('b', 3), budget.count('a', 5)]).toEqual([false, true, true]);
  expect([budget.count('d', 1), budget.has('d')]).toEqual([false, false]);
  budget.remove('b');
  expect(budget.count('d', 5)).toBe(true);
});

it('files beyond what is read are left out with one error, what is known stays, and they are read once there is room', async () => {
  const folder = temporaryFolder();
  for (const name of ['a', 'b']) save(folder, `${name}.yaml`, serviceText(name));
  const size = serviceText('a').length;
  const files = await startFiles([folder], { budget: new ManifestBudget({ bytes: 3 * size, files: 3 }) });
  expect(files.problems()).toEqual([]);
  save(folder, 'a.yaml', `${serviceText('a', 81)}# ${'x'.repeat(2 * size)}\n`);
  await files.log.line('"a.yaml" is not read: there is more than is read');
  expect([files.port('default/a'), files.synced]).toEqual([80, true]);
  for (const name of ['c', 'd', 'e']) save(folder, `${name}.yaml`, serviceText(name));
  await files.until(() => files.resources.size === 3);
  expect(files.problems()).toEqual([expect.stringMatching(/ others are not read: .* 3 files, in all\. Remove some/)]);
  for (const name of ['b', 'c', 'd', 'e']) unlinkSync(join(folder, `${name}.yaml`));
  save(folder, 'a.yaml', serviceText('a', 82));
  await files.until(() => files.port('default/a') === 82);
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
  const budget = new ManifestBudget({ bytes: serviceText('a').length, files: 9 });
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
  expect(problems).toEqual([expect.stringContaining(' is not read'), expect.stringContaining('does not exist')]);
  expect(files.all.map(({ unlistedNamespaces }) => unlistedNamespaces)).toEqual(['unknown']);
});

it('a file that goes before it is read takes no room', async () => {
  const folder = temporaryFolder();
  save(folder, 'a.yaml', serviceText('a'));
  class WhileCounted extends ManifestBudget {
    override count(file: string, bytes: number): boolean {
      rmSync(join(folder, 'a.yaml'), { force: true });
      return super.count(file, bytes);
    }
  }
  const budget = new WhileCounted();
  await startFiles([folder], { budget });
  expect(budget.has('0/a.yaml')).toBe(false);
});
