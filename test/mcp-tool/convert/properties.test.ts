import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvToMarkdown } from '../../../src/mcp-tool/convert/csv.ts';
import { readDataUri } from '../../../src/mcp-tool/fetch/data-uri.ts';
import { Refusal } from '../../../src/mcp-tool/conversion-error.ts';
import { toMarkdown } from '../../../src/mcp-tool/convert/to-markdown.ts';
import { readZip, writeZip } from '../../../src/mcp-tool/convert/zip.ts';
import { archive } from '../support/zip-archive.ts';
import { portableDocument } from '../support/pdf-document.ts';
import { heading, paragraph, table, wordDocument } from '../support/word-document.ts';

const bytes = fc.uint8Array({ maxLength: 500 });

describe('a data: URI', () => {
  it('carries any bytes, in base64 and percent-encoded', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const base64 = Buffer.from(content).toString('base64');
        const percents = [...content].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        for (const uri of [
          `data:;base64,${base64}`,
          `data:;base64,${encodeURIComponent(base64)}`,
          `data:,${percents}`,
        ]) {
          expect(Buffer.from(readDataUri(uri).bytes).equals(content)).toBe(true);
        }
      }),
    );
  });
});

describe('an archive', () => {
  const files = fc.uniqueArray(
    fc.record({ name: fc.string({ minLength: 1, maxLength: 20 }), content: bytes, stored: fc.boolean() }),
    {
      selector: ({ name }) => Buffer.from(name).toString('utf8'),
      maxLength: 5,
    },
  );

  it('gives back what was put in, and so does the archive written from it', () => {
    fc.assert(
      fc.property(files, (given) => {
        const once = readZip(archive(given), () => true, 10_000);
        const twice = readZip(writeZip(once), () => true, 10_000);
        for (const { name, content } of given) {
          expect(Buffer.from(twice.get(Buffer.from(name).toString('utf8')) ?? []).equals(content)).toBe(true);
        }
        expect(twice.size).toBe(given.length);
      }),
    );
  });
});

describe('a table from CSV', () => {
  /** As GFM splits a row: an escaped character separates nothing. */
  const cellsIn = (row: string): number => row.replace(/\\[\\|]/g, '').split('|').length - 2;

  it('has the same number of cells in every row, whatever is in them', () => {
    const quoted = fc.string({ maxLength: 12, unit: fc.constantFrom('a', '|', '\\', '\n', '\r', '"', ',', ';', ' ') });
    const rows = fc.array(fc.array(quoted, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, (given) => {
        const text = given.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n');
        const width = Math.max(...given.map((row) => row.length));
        const lines = csvToMarkdown(text, ',', 100_000).split('\n');
        expect(lines).toHaveLength(given.length + 1);
        for (const line of lines) expect(cellsIn(line)).toBe(width);
      }),
    );
  });
});

describe('a damaged document', () => {
  const whole = [
    wordDocument(
      heading('A') +
        paragraph('b') +
        table([
          ['c', 'd'],
          ['e', 'f'],
        ]),
    ),
    portableDocument([
      [
        ['A', 20, 700],
        ['b', 10, 650],
      ],
    ]),
  ];

  it('is converted or refused, and nothing else happens', async () => {
    const wounds = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...whole), wounds, fc.nat(), async (document, changes, cut) => {
        const content = Uint8Array.from(
          document.subarray(0, document.length - (cut % 3 === 0 ? cut % document.length : 0)),
        );
        for (const [at, byte] of changes) content[at % content.length] = byte;
        const outcome = await toMarkdown({ bytes: content, contentType: undefined, extension: '' }, 1_000_000).catch(
          (error: unknown) => error,
        );
        expect(typeof outcome === 'string' || outcome instanceof Refusal).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
