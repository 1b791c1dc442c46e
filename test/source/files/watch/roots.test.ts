import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save, startFiles } from '../file-rig.ts';
import { documents, serviceText } from '../manifests.ts';

describe('a root that does not exist yet', () => {
  it('is waited for, with its parent folders', async () => {
    const folder = temporaryFolder();
    const root = join(folder, 'some', 'where', 'below');
    const files = await startFiles([root]);
    expect(files.all).toEqual([
      { changes: [], since: expect.any(Number), synced: false, unlistedNamespaces: 'unknown' },
    ]);
    expect(files.problems()).toEqual([expect.stringContaining('does not exist: nothing is served')]);
    mkdirSync(join(folder, 'some'));
    mkdirSync(join(folder, 'some', 'where'));
    mkdirSync(root);
    save(root, 'a.yaml', serviceText('a'));
    await files.until(() => files.port('default/a') === 80);
    expect(files).toMatchObject({ synced: true, unlisted: 'named' });
    expect(files.problems()).toEqual([]);
    expect(files.log.lines.filter(({ message }) => message.includes('does not exist'))).toHaveLength(1);
  });

  it('is found when its parent folders appear one by one', async () => {
    const folder = temporaryFolder();
    const marker = join(folder, 'marker');
    mkdirSync(marker);
    const files = await startFiles([join(folder, 'some', 'where', 'a.yaml'), marker]);
    const steps = [() => mkdirSync(join(folder, 'some')), () => mkdirSync(join(folder, 'some', 'where'))];
    for (const [at, step] of steps.entries()) {
      step();
      save(marker, `${at}.yaml`, serviceText(`marker-${at}`));
      await files.until(() => files.port(`default/marker-${at}`) === 80);
    }
    expect(files.synced).toBe(false);
    save(join(folder, 'some', 'where'), 'a.yaml', serviceText('a'));
    await files.until(() => files.synced && files.port('default/a') === 80);
  });
});

describe('a root', () => {
  it('that is a folder keeps its objects while it is missing', async () => {
    const folder = temporaryFolder();
    const root = join(folder, 'root');
    mkdirSync(root);
    save(root, 'a.yaml', serviceText('a', 1));
    save(root, 'b.yaml', serviceText('b', 1));
    const files = await startFiles([root]);
    rmSync(root, { recursive: true });
    await files.log.line('does not exist: what it held stays');
    expect(files.resources.size).toBe(2);
    mkdirSync(root);
    save(root, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
    await files.until(() => files.resources.size === 1);
    expect(files.problems()).toEqual([]);
    save(root, 'a.yaml', serviceText('a', 3));
    await files.until(() => files.port('default/a') === 3);
  });

  it('that is a folder is read again when another folder replaces it', async () => {
    const folder = temporaryFolder();
    for (const [at, name] of ['root', 'next'].entries()) {
      mkdirSync(join(folder, name));
      save(join(folder, name), 'a.yaml', serviceText('a', at + 1));
    }
    const files = await startFiles([join(folder, 'root')]);
    renameSync(join(folder, 'root'), join(folder, 'last'));
    renameSync(join(folder, 'next'), join(folder, 'root'));
    await files.until(() => files.port('default/a') === 2);
    save(join(folder, 'root'), 'a.yaml', serviceText('a', 3));
    await files.until(() => files.port('default/a') === 3);
  });

  it('that is a file keeps its objects while it is missing', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a', 1));
    const files = await startFiles([join(folder, 'a.yaml')]);
    unlinkSync(join(folder, 'a.yaml'));
    await files.log.line('does not exist: what it held stays');
    expect(files.port('default/a')).toBe(1);
    save(folder, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
    expect(files.problems()).toEqual([]);
  });

  it('may change from a file to a folder and back', async () => {
    const folder = temporaryFolder();
    const root = join(folder, 'root');
    save(folder, 'root', serviceText('file'));
    const files = await startFiles([root]);
    unlinkSync(root);
    mkdirSync(root);
    save(root, 'a.yaml', serviceText('folder'));
    await files.until(() => [...files.resources.keys()].join() === 'Service default/folder');
    rmSync(root, { recursive: true });
    save(folder, 'root', serviceText('file'));
    await files.until(() => [...files.resources.keys()].join() === 'Service default/file');
  });
});

describe('the path of a root', () => {
  it('is used in messages as given', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', 'kind: 5\n');
    const given = `${relative(process.cwd(), folder)}/`;
    const files = await startFiles([given, './does/not/exist']);
    expect(files.problems()).toEqual([
      expect.stringMatching(/^\.\.\/.*\/a\.yaml:1:1 kind is not given/),
      expect.stringMatching(/^\.\/does\/not\/exist \.\/does\/not\/exist does not exist/),
    ]);
  });

  it('may be given twice, or lead to the same files: no object is a duplicate of itself', async () => {
    const folder = temporaryFolder();
    const root = join(folder, 'root');
    mkdirSync(root);
    save(root, 'a.yaml', documents(serviceText('a', 1), 'kind: 5\n'));
    symlinkSync(root, join(folder, 'link'));
    const files = await startFiles([root, `${root}/`, join(root, 'a.yaml'), join(folder, 'link')]);
    expect(files.problems().filter((problem) => problem.includes('already defined'))).toEqual([]);
    expect(files.problems()).toHaveLength(2);
    save(root, 'a.yaml', serviceText('a', 2));
    await files.until(() => files.port('default/a') === 2);
  });

  it('is one root when it is given twice', async () => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', serviceText('a'));
    const missing = join(folder, 'missing');
    const files = await startFiles([folder, missing, `${folder}/.`, missing]);
    expect(files.work()).toEqual({ reads: 1, parses: 1 });
    expect(files.log.lines).toHaveLength(1);
  });
});
