import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../../../edges.ts';
import { errorCode, isAbsent } from './fs-error.ts';
import { limits } from '../manifest/limits.ts';
import type { Reading } from '../manifest/manifest-file.ts';

/** Two states of a file with the same fingerprint are the same state. */
export type Fingerprint = string;

/** A file that was read, or that is not there after all. */
export type FileState =
  | {
      readonly there: true;
      readonly reading: Reading;
      /** Undefined: read it again the next time. */
      readonly fingerprint: Fingerprint | undefined;
    }
  | { readonly there: false };

/**
 * A file system may stamp two writes within one tick of the kernel's clock, of at most 10 ms, alike. A file that was
 * changed less than two ticks before it was read may be changed again without a trace.
 */
const FRESH_MILLISECONDS = 20;

/** Reads a file whole, unless it is larger than it may be. */
export async function readManifest(path: string, clock: Clock): Promise<FileState> {
  try {
    // Without waiting for the other end, should it have become a pipe.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readOpen(handle, clock);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isAbsent(error)) return { there: false };
    return failure(`The file cannot be read (${errorCode(error)}).`, undefined);
  }
}

/** What tells that a file was changed or replaced, without reading it. */
export function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Fingerprint {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

async function readOpen(handle: FileHandle, clock: Clock): Promise<FileState> {
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) return { there: false };
  const fresh = Math.abs(clock.now() - Number(stats.ctimeMs)) < FRESH_MILLISECONDS;
  const fingerprint = fresh ? undefined : fingerprintOf(stats);
  if (stats.size > limits.bytes) return failure(tooLarge(Number(stats.size)), fingerprint);
  const bytes = await handle.readFile();
  if (bytes.length > limits.bytes) return failure(tooLarge(bytes.length), undefined);
  const text = decode(bytes);
  if (text === undefined) return failure('The file is not UTF-8.', fingerprint);
  return { there: true, reading: { ok: true, text }, fingerprint };
}

function failure(reason: string, fingerprint: Fingerprint | undefined): FileState {
  return { there: true, reading: { ok: false, reason }, fingerprint };
}

function tooLarge(bytes: number): string {
  return `The file has ${bytes} bytes, more than ${limits.bytes} (5 MiB): split it.`;
}

/** Without its byte order mark; undefined when the bytes are no UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
