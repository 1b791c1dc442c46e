import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readZip, writeZip } from '../../../src/mcp-tool/convert/zip.ts';
import { type ArchivedFile, zipArchive } from '../support/zip-archive.ts';

const everything = (): boolean => true;
const limit = 10_000;
const read = (files: readonly ArchivedFile[]): ReturnType<typeof readZip> =>
  readZip(zipArchive(files), everything, limit);

describe('a ZIP archive', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_ ()[\]-]{1,8}(\/[a-z]{1,8}){0,2}\.(xml|rels|png)$/);
  const content = fc.uint8Array({ maxLength: 500 });
  const files = fc.uniqueArray(fc.record({ name, content, stored: fc.boolean() }), {
    selector: (file) => file.name,
    maxLength: 5,
  });

  it('is read back with the files that were put in, and so is the archive written from them', async () => {
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const once = await read(given);
        const twice = await readZip(await writeZip(once), everything, limit);
        expect(new Map(Array.from(twice, ([key, bytes]) => [key, Buffer.from(bytes)]))).toEqual(
          new Map(given.map((file) => [file.name, Buffer.from(file.content)])),
        );
      }),
    );
  });

  it('is rejected by the sum of the declared sizes before any entry is decompressed', async () => {
    const undecodable = { name: 'a', content: Buffer.from('no deflate'), declaredSize: limit, raw: true };
    await expect(read([undecodable, { name: 'b', content: 'x' }])).rejects.toMatchObject({ reason: 'size' });
    await expect(read([undecodable])).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
  });

  it.each(['/etc/passwd', '../up', 'a/../../up', 'C:/windows', '..\\up'])(
    'is rejected for the unsafe entry name %s',
    async (unsafe) => {
      await expect(read([{ name: unsafe, content: 'x' }])).rejects.toThrow(/absolute path|invalid relative path/);
    },
  );

  it('is rejected if it has more than 4,096 entries, wanted or not', async () => {
    const entries = Array.from({ length: 4_097 }, (_, index) => ({ name: `${index}`, content: '', stored: true }));
    await expect(readZip(zipArchive(entries), () => false, limit)).rejects.toMatchObject({ reason: 'size' });
    expect((await readZip(zipArchive(entries.slice(1)), () => false, limit)).size).toBe(0);
  });

  it.each([
    ['more', 'too many bytes in the stream'],
    ['less', 'not enough bytes in the stream'],
  ])('is rejected if an entry has %s bytes than declared', async (sort, message) => {
    const lying = { name: 'a', content: 'x'.repeat(100), declaredSize: sort === 'more' ? 99 : 101 };
    await expect(read([lying])).rejects.toThrow(message);
  });
});
