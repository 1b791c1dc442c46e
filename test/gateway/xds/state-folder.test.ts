import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
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

describe('a disk that is full', () => {
  it.each(['writeFile', 'sync'] as const)(
    'at the %s of a new file leaves the one before, and nothing else',
    async (method) => {
      await write('one');
      await using handle: FileHandle = await open('/dev/null');
      const prototype: Pick<FileHandle, 'writeFile' | 'sync'> = Object.getPrototypeOf(handle);
      const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      const spy = vi.spyOn(prototype, method).mockRejectedValueOnce(full);
      await expect(write('two')).rejects.toThrow('ENOSPC');
      spy.mockRestore();
      expect([readdirSync(path), readFileSync(file, 'utf8')]).toEqual([['last-good.ndjson'], 'one']);
      await write('three');
      expect(readFileSync(file, 'utf8')).toBe('three');
    },
  );
});

describe('a folder that is moved, and comes back', () => {
  const away = (): void => renameSync(path, `${path}-away`);
  const back = (): void => renameSync(`${path}-away`, path);

  it('has an empty file, which allows nothing, if that was to be removed meanwhile', async () => {
    await write('one');
    away();
    folder.remove();
    await folder.flush();
    back();
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('whose flushes overlap closes nothing twice: the number of a file may be that of another one by then', async () => {
    for (let time = 0; time < 20; time += 1) {
      await write(`${time}`);
      folder.remove();
      const [first, second] = [folder.flush(), folder.flush()];
      await first;
      const other = openSync('/dev/null', 'r');
      await second;
      expect(fstatSync(other).isCharacterDevice()).toBe(true);
      closeSync(other);
    }
    await folder.release();
  });

  it('also if it was this process that has read it, and if another one took its place', async () => {
    await write('one');
    await folder.release();
    folder = createStateFolder(path, 1_000, Math.random);
    await folder.read();
    away();
    await write('two');
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(readFileSync(join(`${path}-away`, 'last-good.ndjson'), 'utf8')).toBe('');
    folder.remove();
    await folder.flush();
    expect(existsSync(file)).toBe(false);
    await folder.release();
  });
});
