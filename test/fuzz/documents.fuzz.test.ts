import { describe, expect } from 'vitest';
import { ConversionError } from '../../src/mcp-tool/conversion-error.ts';
import { toMarkdown } from '../../src/mcp-tool/convert/to-markdown.ts';
import { parseContentType } from '../../src/mcp-tool/source-document.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** Formats without a container; damaged PDF and Word documents have a test of their own beside their converters. */
const types = ['text/html', 'text/csv', 'text/plain', 'application/json', 'text/markdown', undefined] as const;

describe('a document', () => {
  fuzz('is converted to text, or refused with a ConversionError', {
    corpus: new URL('./corpus/documents/', import.meta.url),
    dictionary: [
      '<',
      '>',
      '</',
      '<table>',
      '<td>',
      '<script>',
      '<!--',
      '&',
      '&amp;',
      '&#0;',
      '"',
      "'",
      ',',
      ';',
      '\n',
      '\r',
      '|',
      '\x00',
      '\xff',
    ],
    async run(input) {
      const contentType = types[input.length % types.length];
      const outcome = await toMarkdown(
        { bytes: input, contentType: parseContentType(contentType), extension: '' },
        1_000_000,
      ).catch((error: unknown) => error);
      if (typeof outcome !== 'string') expect(outcome).toBeInstanceOf(ConversionError);
    },
  });
});
