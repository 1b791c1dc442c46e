import { describe, expect } from 'vitest';
import { ConversionError } from '../../src/mcp-tool/conversion-error.ts';
import { decodeDataUri } from '../../src/mcp-tool/fetch/data-uri.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

describe('a data: URI', () => {
  fuzz('is decoded to no more bytes than it has, or refused with a ConversionError', {
    corpus: new URL('./corpus/data-uris/', import.meta.url),
    dictionary: ['data:', ';base64', ';', ',', '%', '%00', '%ff', 'text/html', 'charset=', '"', ' ', '=', '\xff'],
    run(input) {
      const uri = `data:${input.toString()}`;
      try {
        const { bytes, contentType } = decodeDataUri(uri);
        expect(bytes.length).toBeLessThanOrEqual(Buffer.byteLength(uri));
        expect(contentType === undefined || typeof contentType === 'object').toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ConversionError);
      }
    },
  });

  fuzz('gives back the bytes that it was made of', {
    corpus: new URL('./corpus/data-uris/', import.meta.url),
    run(input) {
      const uris = [`data:text/plain;base64,${input.toString('base64')}`, `data:,${escapeAll(input)}`];
      for (const uri of uris) expect(Buffer.compare(decodeDataUri(uri).bytes, input)).toBe(0);
    },
  });
});

function escapeAll(bytes: Buffer): string {
  return bytes.toString('hex').replace(/../g, '%$&');
}
