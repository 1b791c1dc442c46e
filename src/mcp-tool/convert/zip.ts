import { buffer } from 'node:stream/consumers';
import JSZip from 'jszip';
import { type Entry, fromBufferPromise } from 'yauzl';
import { quoted } from '../../json/quoted.ts';
import { ConversionError } from '../conversion-error.ts';

/** Limit of entries. Word documents have tens of parts and one entry per picture; reading one costs up to 0.3 ms. */
const maxEntries = 4_096;

/**
 * Extracts the entries of a ZIP archive whose names are `wanted`. Checks the sizes that the central directory declares
 * before it decompresses anything; yauzl fails an entry as soon as it decompresses to more than its declared size.
 *
 * @param limit bytes of all wanted entries together
 * @throws ConversionError beyond a limit, and yauzl's errors for damaged archives and unsafe names
 */
export async function readZip(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  limit: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const archive = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (archive.entryCount > maxEntries) {
    throw new ConversionError('size', `The archive has more than ${maxEntries} entries.`);
  }
  const entries = new Map<string, Entry>();
  let declared = 0;
  for await (const entry of archive.eachEntry()) {
    if (!wanted(entry.fileName)) continue;
    if (entries.has(entry.fileName)) throw new Error(`it contains ${quoted(entry.fileName)} twice`);
    declared += entry.uncompressedSize;
    if (declared > limit) throw ConversionError.tooLarge('The unpacked document', limit);
    entries.set(entry.fileName, entry);
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, entry] of entries) files.set(name, await buffer(await archive.openReadStreamPromise(entry)));
  return files;
}

/** Writes a ZIP archive of uncompressed entries. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const archive = new JSZip();
  for (const [name, content] of files) archive.file(name, content, { createFolders: false });
  return archive.generateAsync({ type: 'nodebuffer', compression: 'STORE' });
}
