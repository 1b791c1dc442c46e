import { crc32, deflateRawSync } from 'node:zlib';

/** One file of an archive. Optional fields default to correct values. */
export interface ArchivedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Not compressed. Default: deflate. */
  readonly stored?: boolean;
  /** Uncompressed size in the directory, in bytes. */
  readonly declaredSize?: number;
  readonly encrypted?: boolean;
  /** Writes the content as if it were compressed already. */
  readonly raw?: boolean;
}

/** Builds an archive with the mandatory records only (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). */
export function zipArchive(files: readonly ArchivedFile[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, stored = false, declaredSize, encrypted = false, raw = false } of files) {
    const plain = Buffer.from(content);
    const data = stored || raw ? plain : deflateRawSync(plain);
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(encrypted ? 1 : 0, 2);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(declaredSize ?? plain.length, 18);
    common.writeUInt16LE(title.length, 22);
    parts.push(Buffer.from('PK\x03\x04'), common, title, data);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, place, title);
    offset += 30 + title.length + data.length;
  }
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(files.length, 4);
  tail.writeUInt16LE(files.length, 6);
  tail.writeUInt32LE(Buffer.concat(directory).length, 8);
  tail.writeUInt32LE(offset, 12);
  tail.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, ...directory, Buffer.from('PK\x05\x06'), tail, Buffer.from(comment)]);
}
