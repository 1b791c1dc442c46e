import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { expect, it } from 'vitest';
import { followLinks } from '../../../../src/source/files/watch/follow-links.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save } from '../file-rig.ts';

it('a path without links depends on its last entry alone', async () => {
  const folder = temporaryFolder();
  const trail = await followLinks(parse(folder).root, folder);
  const entries = [{ folder: dirname(folder), name: basename(folder) }];
  expect(trail).toMatchObject({ end: 'found', realPath: folder, entries });
});

it('a path depends on every link in it, and on its last entry', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'real'));
  save(join(folder, 'real'), 'file', '');
  symlinkSync('./real', join(folder, '..data'));
  symlinkSync('..data/../..data/file', join(folder, 'a.yaml'));
  expect(await followLinks(folder, 'a.yaml')).toMatchObject({
    end: 'found',
    realPath: join(folder, 'real', 'file'),
    entries: [
      { folder, name: 'a.yaml' },
      { folder, name: '..data' },
      { folder, name: '..data' },
      { folder: join(folder, 'real'), name: 'file' },
    ],
  });
});

it('a dangling path depends on the first missing entry', async () => {
  const folder = temporaryFolder();
  symlinkSync(join(folder, 'some', 'where'), join(folder, 'a.yaml'));
  const entries = [
    { folder, name: 'a.yaml' },
    { folder, name: 'some' },
  ];
  expect(await followLinks(folder, 'a.yaml')).toEqual({ end: 'absent', entries });
  save(folder, 'some', 'is a file');
  expect(await followLinks(folder, 'a.yaml')).toMatchObject({ end: 'absent' });
});

it('a link whose target has more than 250 names fails, since others wait for the look at each of them', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'd'));
  save(folder, 'b.yaml', '');
  symlinkSync(`${'d/../'.repeat(120)}b.yaml`, join(folder, 'a'));
  symlinkSync(`${'d/../'.repeat(130)}b.yaml`, join(folder, 'c'));
  expect(await followLinks(folder, 'a')).toMatchObject({ end: 'found', realPath: join(folder, 'b.yaml') });
  expect(await followLinks(folder, 'c')).toMatchObject({ end: 'failed', code: 'ENAMETOOLONG' });
});

it('a cycle of links fails with ELOOP, and depends on its links once each', async () => {
  const folder = temporaryFolder();
  symlinkSync('b', join(folder, 'a'));
  symlinkSync('./a', join(folder, 'b'));
  symlinkSync('c/more', join(folder, 'c'));
  const entries = [
    { folder, name: 'a' },
    { folder, name: 'b' },
  ];
  expect(await followLinks(folder, 'a')).toEqual({ end: 'failed', code: 'ELOOP', entries });
  const itself = [{ folder, name: 'c' }];
  expect(await followLinks(folder, 'c')).toEqual({ end: 'failed', code: 'ELOOP', entries: itself });
});
