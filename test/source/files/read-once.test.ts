import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FilesOnce, readFilesOnce } from '../../../src/source/source.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { mcpService, namespace } from '../../support/worlds/manifests.ts';

function read(roots: readonly string[], input = '', namespaces: readonly string[] = []): Promise<FilesOnce> {
  return readFilesOnce({ roots, namespaces, readStdin: () => Promise.resolve(input), clock: systemClock });
}

const keysOf = ({ batch }: FilesOnce): readonly string[] => batch.changes.map(({ kind, key }) => `${kind} ${key}`);

describe('files that are read once', () => {
  it('are those that are watched: manifests of a folder, not of its subfolders', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'c.yaml'), namespace('c'));
    writeFileSync(join(folder, 'a.yaml'), namespace('a'));
    writeFileSync(join(folder, '.b.yaml'), namespace('b'));
    writeFileSync(join(folder, 'b.txt'), namespace('b'));
    const files = await read([folder]);
    expect(keysOf(files)).toEqual(['Namespace a']);
    expect(files.batch).toMatchObject({ synced: true, unlistedNamespaces: 'named' });
  });

  it('include standard input in its place among the others', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.yaml'), mcpService('red/s'));
    const files = await read(['-', folder, '-'], mcpService('red/s', '10.0.0.9'));
    expect(keysOf(files)).toEqual(['Service red/s']);
    expect(files.diagnostics).toMatchObject([
      { place: `${folder}/a.yaml:2:1`, message: expect.stringContaining('already defined at <stdin>:2:1') },
    ]);
    expect(await files.placesOf([{ object: 'Service red/s', path: ['spec', 'ports', 0] }])).toEqual([
      expect.stringMatching(/^<stdin>:5:/),
    ]);
  });

  it('have a place for each field of an object that is there', async () => {
    const file = join(temporaryFolder(), 'a.yaml');
    writeFileSync(file, `${mcpService('red/s')}\n---\n${namespace('red')}`);
    const files = await read([file]);
    const places = await files.placesOf([
      { object: 'Namespace red', path: ['metadata', 'name'] },
      { object: 'Gateway red/none', path: [] },
      { object: 'Service red/s', path: [] },
    ]);
    expect(places).toEqual([`${file}:11:13`, undefined, `${file}:2:1`]);
  });

  it('are refused when standard input is longer than a file may be', async () => {
    const files = await read(['-'], `# ${'x'.repeat(5 * 1024 * 1024)}`);
    expect(files.batch.changes).toEqual([]);
    expect(files.diagnostics).toMatchObject([{ severity: 'error', place: '<stdin>' }]);
  });

  it('are restricted to namespaces', async () => {
    expect(keysOf(await read(['-'], `${mcpService('red/s')}\n---\n${mcpService('blue/s')}`, ['blue']))).toEqual([
      'Service blue/s',
    ]);
  });
});
