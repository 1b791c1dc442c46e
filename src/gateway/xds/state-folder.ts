import { closeSync, constants, fdatasync, ftruncateSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { access, type FileHandle, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Random } from '../../edges.ts';
import { codeOf } from '../../net/errors.ts';

/**
 * The folder with the file of the last-good state, which says who may do what: it and the file belong to the user of
 * this process, and nobody else may even read them.
 */
export interface StateFolder {
  /** The path of the folder, as it was given. */
  readonly path: string;
  /**
   * Creates the folder if it is missing, removes what interrupted writes have left, and reads the file. `undefined`:
   * there is none. A file that {@link remove} could not remove is not used: it may allow what was taken away.
   *
   * @throws Error that names folder or file, and the reason why it is not used
   */
  read(): Promise<Buffer | undefined>;
  /**
   * Writes the file: to a temporary one that takes its place when it is complete and on the disk. Resolves when the
   * replacement is on the disk too.
   *
   * @param isCurrent asked in the moment before; when false, the earlier file stays
   * @returns whether the file was replaced
   * @throws Error, and the earlier file or the new one is there
   */
  write(chunks: Iterable<Buffer>, isCurrent: () => boolean): Promise<boolean>;
  /**
   * Removes the file before it returns: a request that arrives next must not be able to find the process ended with the
   * file still there. Empties it as well, also in a folder that was moved, or that another one is mounted over, and may be
   * back at the next start; a start uses no empty file.
   *
   * @throws Error when it can neither be removed nor emptied
   */
  remove(): void;
  /** Resolves when what {@link remove} did is on the disk, where a loss of power cannot undo it. @throws Error */
  flush(): Promise<void>;
  /** Closes what is open. Call it last. */
  release(): Promise<void>;
}

const fileName = 'last-good.ndjson';

/** Of temporary files, which nothing else in the folder is taken for. */
const temporary = /^\.last-good\.[a-z]{16}\.tmp$/;

/** Bytes that are written at once. */
const blockSize = 64 * 1024;

/** @param maxBytes of a file that is read */
export function createStateFolder(path: string, maxBytes: number, random: Random): StateFolder {
  const file = join(path, fileName);
  const inUse = openState();
  return {
    path,
    async read() {
      await prepare(path);
      for (const name of await readdir(path)) {
        if (temporary.test(name)) await unlink(join(path, name));
      }
      const handle = await openToRead(file);
      if (handle === undefined) return undefined;
      try {
        const content = await readChecked(handle, file, maxBytes);
        await assertRemovable(path, file);
        inUse.replace(openToEmpty(file));
        return content;
      } finally {
        await handle.close();
      }
    },
    async write(chunks, isCurrent) {
      await prepare(path);
      const written = join(path, `.last-good.${randomLetters(random)}.tmp`);
      try {
        await writeNew(written, chunks);
        if (isCurrent()) {
          // In the same turn as the question: nothing can be applied in between.
          const opened = openToEmpty(written);
          renameSync(written, file);
          inUse.replace(opened);
          await syncFolder(path);
          return true;
        }
      } catch (error) {
        await unlink(written).catch(() => {});
        throw error;
      }
      await unlink(written);
      return false;
    },
    remove() {
      const isEmptied = inUse.empty();
      // Through a link it would be the file of somebody else.
      const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      try {
        if (isFolder) unlinkSync(file);
        else isEmptied();
      } catch (error) {
        if (codeOf(error) === 'ENOENT') isEmptied();
        else empty(file, error);
      }
    },
    async flush() {
      await inUse.flush();
      await syncFolder(path);
      await syncIfThere(file, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    },
    release: inUse.release,
  };
}

/** The file of the last write or read, wherever its folder is by now. */
function openState() {
  let file: number | undefined;
  /** Emptied, and not on the disk yet. */
  let emptied: readonly number[] = [];
  let flushed = Promise.resolve();
  const flushOnce = async (): Promise<void> => {
    for (let one = emptied[0]; one !== undefined; one = emptied[0]) {
      await dataSync(one);
      emptied = emptied.slice(1);
      closeSync(one);
    }
  };
  return {
    /** Another file has taken its place: what it allows may be taken away from that one. */
    replace(by: number): void {
      const before = file;
      file = by;
      if (before === undefined) return;
      try {
        ftruncateSync(before);
      } finally {
        closeSync(before);
      }
    },
    /** Empties it. @returns throws if that has failed */
    empty(): () => void {
      if (file === undefined) return () => undefined;
      try {
        ftruncateSync(file);
      } catch (error) {
        return () => {
          throw error;
        };
      }
      emptied = [...emptied, file];
      file = undefined;
      return () => undefined;
    },
    /** One after another: each has what was emptied before it on the disk. */
    flush(): Promise<void> {
      flushed = flushed.then(flushOnce, flushOnce);
      return flushed;
    },
    async release(): Promise<void> {
      await flushed.catch(() => undefined);
      for (const one of file === undefined ? emptied : [...emptied, file]) closeSync(one);
      emptied = [];
      file = undefined;
    },
  };
}

const dataSync = promisify(fdatasync);

function openToEmpty(file: string): number {
  return openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** @throws Error of the removal, which is the one that says what has to be mended */
function empty(file: string, removal: unknown): void {
  try {
    const flags = constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    closeSync(openSync(file, flags));
  } catch {
    throw removal;
  }
}

/** Writes to the disk which files the folder has: `fsync` of a file does not (fsync(2)). */
function syncFolder(path: string): Promise<void> {
  return syncIfThere(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

async function syncIfThere(path: string, flags: number): Promise<void> {
  try {
    const handle = await open(path, flags);
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // EINVAL: a file system that has no such operation.
    if (!['ENOENT', 'EINVAL'].includes(codeOf(error) ?? '')) throw error;
  }
}

/** What cannot be removed now could not be removed by the process before either, when it had to be. */
async function assertRemovable(path: string, file: string): Promise<void> {
  for (const one of [path, file]) {
    await access(one, constants.W_OK).catch((error: unknown) => {
      const problem = `${one} cannot be changed (${codeOf(error)}), so that what is taken away could not be removed from it`;
      throw new Error(`${problem}; make it writable, or remove it`);
    });
  }
}

/** The parent must exist: a folder that is misspelt, or a volume that is not mounted, is an error. */
async function prepare(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') throw new Error(`the folder in which ${path} should be does not exist`);
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  const status = await lstat(path);
  if (status.isSymbolicLink()) throw new Error(`${path} is a symbolic link; name the folder itself`);
  if (!status.isDirectory()) throw new Error(`${path} is no folder`);
  assertPrivate(path, status, '0700');
}

async function openToRead(file: string): Promise<FileHandle | undefined> {
  try {
    // Not blocking: to open a named pipe would wait for its writer.
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw codeOf(error) === 'ELOOP' ? new Error(`${file} is a symbolic link`) : error;
  }
}

/** Checks the file that is open, whatever its name leads to by now. */
async function readChecked(handle: FileHandle, file: string, maxBytes: number): Promise<Buffer> {
  const status = await handle.stat();
  if (!status.isFile()) throw new Error(`${file} is no file`);
  assertPrivate(file, status, '0600');
  if (status.size > maxBytes) throw new Error(`${file} is larger than ${maxBytes} bytes`);
  const buffer = Buffer.alloc(status.size);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function assertPrivate(
  path: string,
  { uid, mode }: { readonly uid: number; readonly mode: number },
  wanted: string,
): void {
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to another user (uid ${uid})`);
  if ((mode & 0o077) !== 0) {
    const found = (mode & 0o7777).toString(8).padStart(4, '0');
    throw new Error(`${path} is open to other users (mode ${found}); run chmod ${wanted} on it, or remove it`);
  }
}

async function writeNew(path: string, chunks: Iterable<Buffer>): Promise<void> {
  const handle = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    let block: Buffer[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      await handle.writeFile(Buffer.concat(block));
      block = [];
      size = 0;
    };
    for (const chunk of chunks) {
      block.push(chunk);
      size += chunk.length;
      if (size >= blockSize) await flush();
    }
    await flush();
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function randomLetters(random: Random): string {
  return Array.from({ length: 16 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
}
