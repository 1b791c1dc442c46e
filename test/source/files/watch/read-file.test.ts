import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import type { PossibleObjects } from '../../../../src/source/files/manifest/possible-objects.ts';
import { fingerprintOf, isHole, readManifestFile } from '../../../../src/source/files/watch/read-file.ts';
import { systemClock } from '../../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { save } from '../file-rig.ts';
import { serviceText } from '../manifests.ts';

/** A clock that stands at this many milliseconds after the last change of the file. */
function clockAfter(file: string, milliseconds: number): Clock {
  return { ...systemClock, now: () => statSync(file).ctimeMs + milliseconds };
}

it('a file that changed within the timestamp resolution has no fingerprint, so that it is read again', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.yaml');
  save(folder, 'a.yaml', 'a: 1\n');
  const content = { ok: true, text: 'a: 1\n' };
  const now = fingerprintOf(statSync(file, { bigint: true }));
  expect(await readManifestFile(file, now, clockAfter(file, 5))).toEqual({
    kind: 'read',
    content,
    fingerprint: undefined,
  });
  expect(await readManifestFile(file, now, clockAfter(file, 25))).toEqual({ kind: 'read', content, fingerprint: now });
});

it('a folder and a missing file count as absent', async () => {
  const folder = temporaryFolder();
  expect(await readManifestFile(folder, '', systemClock)).toEqual({ kind: 'absent' });
  expect(await readManifestFile(join(folder, 'a.yaml'), '', systemClock)).toEqual({ kind: 'absent' });
  save(folder, 'a.yaml', '');
  expect(await readManifestFile(join(folder, 'a.yaml', 'b.yaml'), '', systemClock)).toEqual({ kind: 'absent' });
});

it('a file that was written since it was looked at is not read: what settled was another state', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.yaml');
  save(folder, 'a.yaml', 'a: 1\n');
  const looked = fingerprintOf(statSync(file, { bigint: true }));
  save(folder, 'a.yaml', 'a');
  expect(await readManifestFile(file, looked, systemClock)).toEqual({ kind: 'torn' });
});

describe('the words of a file that is not parsed', () => {
  const possibleIn = async (content: string | Buffer): Promise<PossibleObjects> => {
    const folder = temporaryFolder();
    save(folder, 'a.yaml', content);
    const file = join(folder, 'a.yaml');
    const state = await readManifestFile(file, fingerprintOf(statSync(file, { bigint: true })), systemClock);
    if (state.kind !== 'read' || state.content.ok) throw new Error('The file was parsed.');
    return state.content.possible;
  };
  const text = serviceText('some-name');

  it('are looked at when it is a little too large, and not when it is far too large: it may define anything', async () => {
    const possible = await possibleIn(text.padEnd(5 * 1024 * 1024 + 1, 'a '));
    expect(possible !== 'any' && possible.names.get('Service')?.has('some-name')).toBe(true);
    expect(await possibleIn(text.padEnd(8 * 1024 * 1024 + 1, 'a '))).toBe('any');
  });

  it('are looked at up to 1 MiB of it, also of UTF-16', async () => {
    const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
    const long = Buffer.concat([Buffer.alloc(1024 * 1024 - utf16.length, '# '), utf16]);
    const possible = await possibleIn(long);
    expect(possible !== 'any' && possible.names.get('Service')?.has('some-name')).toBe(true);
    expect(await possibleIn(Buffer.concat([long, Buffer.from('#')]))).toBe('any');
  });
});

describe('a file of which the file system says that it has no blocks', () => {
  const withoutBlocks = async (content: string): Promise<boolean> => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.yaml'), content);
    truncateSync(join(folder, 'a.yaml'), 16 * 1024 * 1024);
    await using handle = await open(join(folder, 'a.yaml'));
    return isHole(handle, { blocks: 0n });
  };

  it('has none when it begins with a hole', async () => {
    expect(await withoutBlocks('')).toBe(true);
  });

  it('has some when it begins with text: not every file system counts blocks', async () => {
    expect(await withoutBlocks('kind: Service')).toBe(false);
  });
});
