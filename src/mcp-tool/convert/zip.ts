import { crc32, inflateRawSync } from 'node:zlib';
import { tooLarge } from '../fetch/response-body.ts';
import { Refusal } from '../conversion-error.ts';

/** Signatures and fixed lengths of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, §4.3. */
const local = { signature: 0x04034b50, length: 30 };
const central = { signature: 0x02014b50, length: 46 };
const end = { signature: 0x06054b50, length: 22, longestComment: 0xffff };
const stored = 0;
const deflated = 8;
/** Sizes that stand here are in a 64-bit field elsewhere: an archive of 4 GiB, which no document is. */
const zip64 = 0xffffffff;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly packed: number;
  readonly plain: number;
  readonly offset: number;
}

/**
 * Unpacks the files of an archive whose names are `wanted`. Together they may be `limit` bytes: by what the directory
 * declares, before anything is unpacked, and each by what it really unpacks to, whatever was declared.
 */
export function readZip(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  limit: number,
): ReadonlyMap<string, Uint8Array> {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(archive).filter(({ name }) => wanted(name));
  const declared = entries.reduce((sum, { plain }) => sum + plain, 0);
  if (declared > limit) throw tooLarge('The unpacked document', limit);
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (files.has(entry.name)) throw damaged(`it contains ${entry.name} twice`);
    files.set(entry.name, unpack(archive, entry));
  }
  return files;
}

function readDirectory(archive: Buffer): readonly Entry[] {
  const at = findEnd(archive);
  const count = archive.readUInt16LE(at + 10);
  const entries: Entry[] = [];
  let position = archive.readUInt32LE(at + 16);
  for (let index = 0; index < count; index += 1) {
    if (position + central.length > at || archive.readUInt32LE(position) !== central.signature) {
      throw damaged('its directory is broken');
    }
    const nameLength = archive.readUInt16LE(position + 28);
    const entry = {
      name: archive.toString('utf8', position + central.length, position + central.length + nameLength),
      encrypted: (archive.readUInt16LE(position + 8) & 1) === 1,
      method: archive.readUInt16LE(position + 10),
      packed: archive.readUInt32LE(position + 20),
      plain: archive.readUInt32LE(position + 24),
      offset: archive.readUInt32LE(position + 42),
    };
    if (entry.packed === zip64 || entry.plain === zip64 || entry.offset === zip64)
      throw damaged('it is a ZIP64 archive');
    entries.push(entry);
    position += central.length + nameLength + archive.readUInt16LE(position + 30) + archive.readUInt16LE(position + 32);
  }
  return entries;
}

function findEnd(archive: Buffer): number {
  const last = archive.length - end.length;
  for (let at = last; at >= Math.max(0, last - end.longestComment); at -= 1) {
    if (archive.readUInt32LE(at) === end.signature) return at;
  }
  throw damaged('it has no directory');
}

function unpack(archive: Buffer, { name, method, encrypted, packed, plain, offset }: Entry): Uint8Array {
  if (encrypted) throw damaged(`${name} is encrypted`);
  if (offset + local.length > archive.length || archive.readUInt32LE(offset) !== local.signature) {
    throw damaged(`${name} is not where its directory says`);
  }
  const start = offset + local.length + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  const data = archive.subarray(start, start + packed);
  if (data.length !== packed) throw damaged(`${name} is cut off`);
  if (method === stored && packed === plain) return data;
  if (method !== deflated) throw damaged(`${name} is packed in an unknown way`);
  // The declared size is the most that is unpacked: zlib gives up beyond it.
  const content = plain === 0 ? Buffer.alloc(0) : inflate(name, data, plain);
  if (content.length !== plain) throw damaged(`${name} has not the size that its directory says`);
  return content;
}

function inflate(name: string, data: Uint8Array, plain: number): Buffer {
  try {
    return inflateRawSync(data, { maxOutputLength: plain });
  } catch (error) {
    const bomb = error instanceof RangeError;
    throw damaged(bomb ? `${name} is larger than its directory says` : `${name} cannot be unpacked`);
  }
}

function damaged(why: string): Refusal {
  return new Refusal('content', `The archive cannot be read: ${why}.`);
}

/** An archive of the files, none of them packed. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const title = Buffer.from(name, 'utf8');
    // Version 2.0, names in UTF-8, stored, no time; the same in both headers.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(title.length, 22);
    parts.push(uint32(local.signature), common, title, content);
    directory.push(uint32(central.signature), Buffer.from([20, 0]), common, Buffer.alloc(10), uint32(offset), title);
    offset += local.length + title.length + content.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const tail = Buffer.alloc(end.length);
  tail.writeUInt32LE(end.signature, 0);
  tail.writeUInt16LE(files.size, 8);
  tail.writeUInt16LE(files.size, 10);
  tail.writeUInt32LE(length, 12);
  tail.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, tail]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
