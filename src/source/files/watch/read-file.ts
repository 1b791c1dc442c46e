import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock } from '../../../edges.ts';
import { codeOrReason, isNotFound } from '../../../net/errors.ts';
import { limits } from '../manifest/limits.ts';
import type { FileContent } from '../manifest/manifest-file.ts';

/** Identifies a state of a file: equal fingerprints, equal content. */
export type Fingerprint = string;

/** The state of a file at the time it was read. */
export type FileState =
  | {
      readonly kind: 'read';
      readonly content: FileContent;
      /** Undefined: to be read again by the next scan. */
      readonly fingerprint: Fingerprint | undefined;
    }
  /** Written since it was looked at, or while it was read: what was read may be half of it. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'absent' };

/**
 * Milliseconds after a change in which a file may change again without a new timestamp: two ticks of the kernel's
 * clock, of at most 10 ms each.
 */
const timestampResolution = 20;

/**
 * Reads a file, up to the size limit.
 *
 * @param expected the state that is to be read, and no later one
 */
export async function readManifestFile(path: string, expected: Fingerprint, clock: Clock): Promise<FileState> {
  try {
    // O_NONBLOCK: opening a named pipe would wait for its writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readHandle(handle, expected, clock);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isNotFound(error)) return { kind: 'absent' };
    return failure(`The file cannot be read (${codeOrReason(error)}).`, undefined);
  }
}

/** Reads the text of a file as it is now; undefined when it cannot be read, or is being written. */
export async function readText(path: string, clock: Clock): Promise<string | undefined> {
  try {
    const state = await readManifestFile(path, fingerprintOf(await stat(path, { bigint: true })), clock);
    return state.kind === 'read' && state.content.ok ? state.content.text : undefined;
  } catch {
    return undefined;
  }
}

/** Computes the fingerprint of a file from its metadata: changes whenever the file is written or replaced. */
export function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Fingerprint {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

async function readHandle(handle: FileHandle, expected: Fingerprint, clock: Clock): Promise<FileState> {
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) return { kind: 'absent' };
  if (fingerprintOf(stats) !== expected) return { kind: 'torn' };
  const fresh = Math.abs(clock.now() - Number(stats.ctimeMs)) < timestampResolution;
  const fingerprint = fresh ? undefined : fingerprintOf(stats);
  if (stats.size > limits.bytes) return failure(tooLarge(Number(stats.size)), fingerprint);
  const bytes = await handle.readFile();
  const after = await handle.stat({ bigint: true });
  if (fingerprintOf(after) !== expected) return { kind: 'torn' };
  const text = decode(bytes);
  if (text === undefined) return failure('The file is not UTF-8.', fingerprint);
  return { kind: 'read', content: { ok: true, text }, fingerprint };
}

function failure(reason: string, fingerprint: Fingerprint | undefined): FileState {
  return { kind: 'read', content: { ok: false, reason }, fingerprint };
}

function tooLarge(bytes: number): string {
  return `The file has ${bytes} bytes, more than ${limits.bytes} (5 MiB): split it.`;
}

/** Decodes UTF-8 without its byte order mark; undefined when the bytes are no UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
