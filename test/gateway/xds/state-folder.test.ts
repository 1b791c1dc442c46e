import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createStateFolder, type StateFolder } from '../../../src/gateway/xds/state-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let path: string;
let file: string;
let folder: StateFolder;
beforeEach(() => {
  path = join(temporaryFolder(), 'state');
  file = join(path, 'last-good.ndjson');
  folder = createStateFolder(path, 1_000, Math.random);
});

const write = (text: string): Promise<boolean> => folder.write([Buffer.from(text)], () => true);

/** The paths that are flushed to the disk, in their order. */
async function recordFlushes(): Promise<readonly string[]> {
  const flushed: string[] = [];
  await using handle: FileHandle = await open('/dev/null');
  const prototype: Pick<FileHandle, 'sync'> = Object.getPrototypeOf(handle);
  const { sync } = prototype;
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(function (this: FileHandle) {
    flushed.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    return sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  return flushed;
}

describe('a loss of power', () => {
  it('after a write leaves the new file: file and folder are flushed, one after the other', async () => {
    const flushed = await recordFlushes();
    await write('one');
    expect(flushed).toEqual([expect.stringMatching(/\.tmp$/), path]);
  });

  it('after a removal leaves no file, once that is flushed', async () => {
    await write('one');
    const flushed = await recordFlushes();
    folder.remove();
    await folder.flush();
    expect([existsSync(file), flushed]).toEqual([false, [path]]);
  });
});

// Root may remove everything; the file systems of containers know no file that it may not.
describe.skipIf(process.getuid?.() === 0)('a file that cannot be removed', () => {
  beforeEach(async () => {
    await write('one');
    onTestFinished(() => chmodSync(path, 0o700));
    chmodSync(path, 0o500);
  });

  it('is emptied, on the disk too', async () => {
    const flushed = await recordFlushes();
    folder.remove();
    await folder.flush();
    expect([readFileSync(file, 'utf8'), flushed]).toEqual(['', [path, file]]);
  });

  it('is not used by a start', async () => {
    await expect(folder.read()).rejects.toThrow(`${path} cannot be changed (EACCES)`);
    chmodSync(path, 0o700);
    chmodSync(file, 0o400);
    await expect(folder.read()).rejects.toThrow(`${file} cannot be changed (EACCES)`);
    chmodSync(file, 0o600);
    expect(String(await folder.read())).toBe('one');
  });

  it('and cannot be emptied either, is an error', () => {
    chmodSync(file, 0o400);
    expect(() => folder.remove()).toThrow('EACCES');
  });
});

it('the flush of a folder that is gone is no error', async () => {
  await folder.flush();
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(file, '', { mode: 0o600 });
  await folder.flush();
});
