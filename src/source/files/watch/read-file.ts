import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../../edges.ts';
import { codeOrReason, isNotFound } from '../../../net/errors.ts';
import { limits } from '../manifest/limits.ts';
import type { FileContent } from '../manifest/manifest-file.ts';
import { longestWord, noObjects, type PossibleObjects, WordCollector } from '../manifest/possible-objects.ts';

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
 * Bytes of a file that is not UTF-8 up to which its words are looked at: 50 ms of the processor for single letters, and
 * for all files together what they may have in sum. A larger one may define anything.
 */
const mostSearched = 1024 * 1024;
/**
 * The same of a file that is too large to be parsed, such as one that has just grown beyond the limit: its neighbours are
 * not held back for all that it might define. Half a second of the processor for single letters.
 */
const mostTooLarge = 8 * 1024 * 1024;
/** Bytes whose words are looked at in one turn of the event loop. */
const pieceBytes = 128 * 1024;

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
    return failure(`The file cannot be read (${codeOrReason(error)}).`, 'any', undefined);
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

/** The size that an entry counts with; undefined: it leads nowhere. A file that is far too large itself is not read. */
export function countedBytes(stats: BigIntStats | undefined): number {
  return stats?.isFile() && stats.size <= mostTooLarge ? Number(stats.size) : 0;
}

/** The content of an entry that no path leads to, by the code of the operating system; undefined: because of its name. */
export function unreadableContent(code: string | undefined): FileContent {
  if (code === undefined) return { ok: false, reason: 'The name is not UTF-8: rename the file.', possible: 'any' };
  // Links that lead to one another have no content.
  const possible = code === 'ELOOP' ? noObjects : 'any';
  return { ok: false, reason: `The file cannot be read (${code}).`, possible };
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
  if (stats.size > mostTooLarge) {
    // Not read: it has no part in what all files together may have. A sparse file without any data defines nothing.
    const possible = (await isHole(handle, stats)) ? noObjects : 'any';
    return failure(tooLarge(stats.size), possible, fingerprint);
  }
  const bytes = await handle.readFile();
  const after = await handle.stat({ bigint: true });
  if (fingerprintOf(after) !== expected) return { kind: 'torn' };
  if (stats.size > limits.bytes) return failure(tooLarge(stats.size), await wordsIn(bytes), fingerprint);
  const text = decode(bytes);
  if (text === undefined) {
    const possible = bytes.length > mostSearched ? 'any' : await wordsIn(bytes);
    return failure('The file is not UTF-8.', possible, fingerprint);
  }
  return { kind: 'read', content: { ok: true, text }, fingerprint };
}

/**
 * Returns whether a file has no data: no block, and a beginning of zeros as a hole is read. File systems without blocks,
 * as FUSE and 9p may be, say 0 of every file.
 */
export async function isHole(
  handle: Pick<FileHandle, 'read'>,
  { blocks }: Pick<BigIntStats, 'blocks'>,
): Promise<boolean> {
  if (blocks > 0n) return false;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0);
  return buffer.subarray(0, bytesRead).every((byte) => byte === 0);
}

/** Text has no zeros at all; a block of the file is read whole anyway. */
const beginningBytes = 4096;

function failure(reason: string, possible: PossibleObjects, fingerprint: Fingerprint | undefined): FileState {
  return { kind: 'read', content: { ok: false, reason, possible }, fingerprint };
}

/** Finds the words of a file that is not parsed. */
async function wordsIn(bytes: Buffer): Promise<PossibleObjects> {
  const words = new WordCollector();
  let kept = '';
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = kept + asciiIn(bytes.subarray(at, at + pieceBytes));
    words.addPiece(piece);
    kept = piece.slice(-longestWord);
    await setImmediate();
  }
  words.endDocument();
  return words.found();
}

/** The bytes as text, each as one character, as far as names are concerned: also those of UTF-16. */
function asciiIn(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\0', '');
}

function tooLarge(bytes: bigint): string {
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
