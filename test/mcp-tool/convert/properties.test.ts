import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConversionError } from '../../../src/mcp-tool/conversion-error.ts';
import { csvToMarkdown } from '../../../src/mcp-tool/convert/csv.ts';
import { toMarkdown } from '../../../src/mcp-tool/convert/to-markdown.ts';
import { pdfDocument } from '../support/pdf-document.ts';
import { heading, paragraph, table, wordDocument } from '../support/word-document.ts';

describe('CSV as a table', () => {
  /** Counts cells as GFM does: escaped pipes do not separate. */
  const cellsIn = (row: string): number => row.replace(/\\[\\|]/g, '').split('|').length - 2;

  it('has the same number of cells in every row, whatever they contain', () => {
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
    pdfDocument([
      [
        ['A', 20, 700],
        ['b', 10, 650],
      ],
    ]),
  ];

  it('is converted or fails with a ConversionError', async () => {
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
        expect(typeof outcome === 'string' || outcome instanceof ConversionError).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
