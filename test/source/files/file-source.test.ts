import { mkdirSync, renameSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { save, startFiles } from './file-rig.ts';
import { documents, namespaceText, serviceText } from './manifests.ts';

describe('the first batch', () => {
  it('has the objects of the files in a folder', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    save(folder, 'b.yml', serviceText('b'));
    save(folder, 'c.json', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'c' } }));
    const files = await startFiles([folder]);
    expect([...files.resources.keys()].sort()).toEqual(['Namespace c', 'Service default/a', 'Service default/b']);
    expect(files.all).toHaveLength(1);
    expect(files.synced).toBe(true);
    expect(files.unlisted).toBe('named');
  });

  it('leaves out hidden files, files with other extensions, and folders', async () => {
    const folder = temporaryFolder();
    for (const name of ['.hidden.yaml', 'a.yaml~', 'b.YAML', 'c.txt', 'yaml']) save(folder, name, serviceText('x'));
    mkdirSync(join(folder, 'd.yaml'));
    save(join(folder, 'd.yaml'), 'e.yaml', serviceText('x'));
    mkdirSync(join(folder, 'below'));
    save(join(folder, 'below'), 'f.yaml', serviceText('x'));
    symlinkSync(join(folder, 'below'), join(folder, 'link.yaml'));
    symlinkSync('nowhere', join(folder, 'dangling.yaml'));
    const files = await startFiles([folder]);
    expect(files.all).toEqual([{ changes: [], since: expect.any(Number), synced: true, unlistedNamespaces: 'named' }]);
    expect(files.problems()).toEqual([expect.stringContaining('manifests in "below", "d.yaml": name each folder')]);
  });

  it('has the objects of a file that is given itself, whatever its name', async () => {
    const folder = temporaryFolder();
    save(folder, '.manifests', serviceText('a'));
    const files = await startFiles([join(folder, '.manifests')]);
    expect([...files.resources.keys()]).toEqual(['Service default/a']);
  });

  it('has only the selected namespaces', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', documents(serviceText('a'), serviceText('a', 80, 'team'), namespaceText('other')));
    const files = await startFiles([folder], { namespaces: ['team'] });
    expect([...files.resources.keys()]).toEqual(['Service team/a', 'Namespace other']);
  });
});

describe('a save', () => {
  it('of a file in place is delivered', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a', 1));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
  });

  it('by rename, as editors do, is delivered', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a', 1));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml.tmp', serviceText('a', 2));
    renameSync(join(folder, 'a.yaml.tmp'), join(folder, 'a.yaml'));
    await files.until(() => files.port('default/a') === 2);
    renameSync(join(folder, 'a.yaml'), join(folder, 'a.yaml~'));
    save(folder, 'a.yaml', serviceText('a', 3));
    unlinkSync(join(folder, 'a.yaml~'));
    await files.until(() => files.port('default/a') === 3);
    expect(files.all.flatMap(({ changes }) => changes).every(({ resource }) => resource !== undefined)).toBe(true);
  });

  it('of a file that is a root is delivered, in place and by rename', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a.yaml');
    save(folder, 'a.yaml', serviceText('a', 1));
    const files = await startFiles([file]);
    save(folder, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
    for (const port of [3, 4]) {
      save(folder, 'other', serviceText('a', port));
      renameSync(join(folder, 'other'), file);
      await files.until(() => files.port('default/a') === port);
    }
  });
});

describe('the cost of a save', () => {
  it('of several files is one batch', async () => {
    const folder = temporaryFolder();
    const files = await startFiles([folder]);
    for (let at = 0; at < 20; at += 1) save(folder, `${at}.yaml`, serviceText(`s-${at}`));
    await files.until(() => files.resources.size > 0);
    expect(files.resources.size).toBe(20);
    expect(files.all).toHaveLength(2);
  });

  it('that changes nothing is no batch', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const files = await startFiles([folder]);
    save(folder, 'a.yaml', `# a comment\n${serviceText('a')}`);
    utimesSync(join(folder, 'a.yaml'), 5, 5);
    save(folder, 'b.yaml', serviceText('b'));
    await files.until(() => files.resources.size === 2);
    expect(files.all.slice(1).flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual(['default/b']);
  });

  it('of a deleted file is a deletion', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    save(folder, 'b.yaml', serviceText('b'));
    const files = await startFiles([folder]);
    unlinkSync(join(folder, 'a.yaml'));
    await files.until(() => files.resources.size === 1);
    renameSync(join(folder, 'b.yaml'), join(folder, 'b.txt'));
    await files.until(() => files.resources.size === 0);
    renameSync(join(folder, 'b.txt'), join(folder, 'c.yaml'));
    await files.until(() => files.resources.size === 1);
  });

  it('in a folder of a thousand files is one read', async () => {
    const folder = temporaryFolder();
    for (let at = 0; at < 1000; at += 1) save(folder, `${at}.yaml`, serviceText(`s-${at}`));
    const files = await startFiles([folder]);
    expect(files.work()).toEqual({ reads: 1000, parses: 1000 });
    save(folder, '500.yaml', serviceText('s-500', 81));
    await files.until(() => files.port('default/s-500') === 81);
    expect(files.work()).toEqual({ reads: 1001, parses: 1001 });
  });
});
