import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';

/** A folder as Kubernetes mounts a ConfigMap, and the update to its next version. */
function mountConfigMap(): { readonly folder: string; swap(files: Readonly<Record<string, string>>): void } {
  const folder = temporaryFolder();
  let version = 0;
  return {
    folder,
    swap(files) {
      version += 1;
      const next = `..2026_${version}`;
      mkdirSync(join(folder, next));
      for (const [name, text] of Object.entries(files)) save(join(folder, next), name, text);
      symlinkSync(next, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
      for (const name of Object.keys(files)) {
        rmSync(join(folder, name), { force: true });
        symlinkSync(join('..data', name), join(folder, name));
      }
      rmSync(join(folder, `..2026_${version - 1}`), { recursive: true, force: true });
    },
  };
}

describe('a link', () => {
  it('through the ..data folder of a ConfigMap follows its updates', async () => {
    const map = mountConfigMap();
    map.swap({ 'a.yaml': serviceText('a', 1), 'b.yaml': serviceText('b', 1) });
    const files = await startFiles([map.folder, join(map.folder, 'a.yaml')]);
    expect(files.problems()).toEqual([]);
    for (const port of [2, 3, 4]) {
      map.swap({ 'a.yaml': serviceText('a', port), 'b.yaml': serviceText('b', port) });
      await files.until(() => files.port('default/a') === port);
      expect(files.port('default/b')).toBe(port);
    }
    map.swap({ 'a.yaml': serviceText('a', 5), 'c.yaml': serviceText('c') });
    await files.until(() => files.port('default/c') === 80);
    expect([...files.resources.keys()].sort()).toEqual(['Service default/a', 'Service default/c']);
  });

  it('is followed anew when only a link in the middle is replaced', async () => {
    const folder = temporaryFolder();
    for (const port of [1, 2]) {
      mkdirSync(join(folder, `..${port}`));
      save(join(folder, `..${port}`), 'a.yaml', serviceText('a', port));
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    const files = await startFiles([folder]);
    symlinkSync('..2', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    await files.until(() => files.port('default/a') === 2);
  });

  it('to a file in another folder follows changes there', async () => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    symlinkSync(join(elsewhere, 'real'), join(folder, 'a.yaml'));
    const files = await startFiles([folder]);
    expect(files.resources.size).toBe(0);
    for (const port of [1, 2]) {
      save(elsewhere, 'real', serviceText('a', port));
      await files.until(() => files.port('default/a') === port);
    }
    unlinkSync(join(elsewhere, 'real'));
    await files.until(() => files.resources.size === 0);
  });

  it('that is a root, or a parent folder of one, may be replaced', async () => {
    const folder = temporaryFolder();
    for (const port of [1, 2]) {
      mkdirSync(join(folder, `release-${port}`, 'manifests'), { recursive: true });
      save(join(folder, `release-${port}`, 'manifests'), 'a.yaml', serviceText('a', port));
      save(join(folder, `release-${port}`, 'manifests'), 'b.yaml', serviceText('b', port));
    }
    symlinkSync('release-1', join(folder, 'current'));
    symlinkSync('current/manifests', join(folder, 'root'));
    const files = await startFiles([join(folder, 'root'), join(folder, 'current', 'manifests', 'b.yaml')]);
    symlinkSync('release-2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    await files.until(() => files.port('default/a') === 2 && files.port('default/b') === 2);
    save(join(folder, 'release-2', 'manifests'), 'a.yaml', serviceText('a', 3));
    await files.until(() => files.port('default/a') === 3);
  });
});

describe('links to many folders', () => {
  it('have 256 of them watched, of which one line of the log tells, and the rest is looked at by the scans', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    for (let index = 0; index < 300; index += 1) {
      mkdirSync(join(elsewhere, `${index}`));
      symlinkSync(join(elsewhere, `${index}`, 'real'), join(folder, `f${index}.yaml`));
    }
    const files = await startFiles([folder]);
    expect(files.log.lines.filter(({ message }) => message.includes('a folder cannot be watched'))).toHaveLength(1);
    for (const index of [99, 0]) save(join(elsewhere, `${index}`), 'real', serviceText(`s${index}`, 7));
    await files.until(() => files.resources.size > 0);
    expect([...files.resources.keys()]).toEqual(['Service default/s0']);
  });

  it('have only those looked at again whose folder is watched anew', async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    for (let index = 0; index < 50; index += 1) save(folder, `f${index}.yaml`, serviceText(`s${index}`));
    const files = await startFiles([folder]);
    const looks = (): number => files.counters.total('gatehouse_source_looks_total', { by: 'change' });
    const before = looks();
    save(elsewhere, 'real', serviceText('linked'));
    symlinkSync(join(elsewhere, 'real'), join(folder, 'linked.yaml'));
    await files.until(() => files.port('default/linked') === 80);
    await files.scanned();
    expect(looks() - before).toBeLessThan(5);
  });
});

describe('an entry that cannot be read as a file', () => {
  it('is a warning when it leads to a device, a pipe or a socket, until it is gone', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const files = await startFiles([folder]);
    symlinkSync('/dev/zero', join(folder, 'b.yaml'));
    symlinkSync('.', join(folder, 'c.yaml'));
    await files.log.line('This is no regular file, and is not read');
    expect(files.problems()).toEqual([expect.stringContaining(`${join(folder, 'b.yaml')} This is no regular file`)]);
    expect(files).toMatchObject({ synced: true, unlisted: 'named' });
    rmSync(join(folder, 'a.yaml'));
    symlinkSync('/dev/null', join(folder, 'a.yaml'));
    await files.until(() => files.resources.size === 0);
    for (const name of ['a.yaml', 'b.yaml']) unlinkSync(join(folder, name));
    save(folder, 'b.yaml', serviceText('b'));
    await files.until(() => files.port('default/b') === 80);
    expect(files.problems()).toEqual([]);
  });

  it('is an error when its name is not UTF-8, and may define anything', async () => {
    const folder = temporaryFolder();
    const path = Buffer.concat([Buffer.from(`${folder}/a`), Buffer.from([0xe9]), Buffer.from('.yaml')]);
    writeFileSync(path, serviceText('a'));
    const files = await startFiles([folder]);
    expect(files.problems()).toEqual([expect.stringContaining('The name is not UTF-8: rename the file.')]);
    expect(files.unlisted).toBe('unknown');
    renameSync(path, join(folder, 'a.yaml'));
    await files.until(() => files.port('default/a') === 80 && files.unlisted === 'named');
    expect(files.problems()).toEqual([]);
  });

  it('has its name on one line of messages', async () => {
    const folder = temporaryFolder();
    save(folder, 'a\n\u001b[2J.yaml', 'a: [');
    const files = await startFiles([folder]);
    expect(files.problems()).toEqual([expect.stringContaining(`${folder}/"a\\n\\u001b[2J.yaml":1:5 `)]);
  });
});
