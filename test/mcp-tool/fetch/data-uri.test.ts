import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDataUri } from '../../../src/mcp-tool/fetch/data-uri.ts';
import { parseContentType } from '../../../src/mcp-tool/source-document.ts';

describe('a data: URI', () => {
  const text = (uri: string): string => Buffer.from(decodeDataUri(uri).bytes).toString('utf8');

  it.each([
    ['data:,a%20b%C3%A9', 'a bé'],
    ['data:text/plain,é # not a fragment', 'é # not a fragment'],
    ['data:text/plain,100%&%zz%4', '100%&%zz%4'],
    ['data:text/plain;base64,aGk=', 'hi'],
    ['data:text/plain ; BASE64,aGk', 'hi'],
    ['data:;base64,%61Gk%3D', 'hi'],
    ['data:text/plain;base64, a G k = ', 'hi'],
    ['data:,', ''],
  ])('%s is decoded', (uri, expected) => {
    expect(text(uri)).toBe(expected);
  });

  it('has its media type and charset', () => {
    expect(decodeDataUri('data:text/HTML;charset=latin1;base64,aGk=').contentType).toEqual({
      essence: 'text/html',
      charset: 'latin1',
    });
    expect(decodeDataUri('data:;charset=utf-8,x').contentType).toEqual({ essence: 'text/plain', charset: 'utf-8' });
    expect(decodeDataUri('data:,x').contentType).toBeUndefined();
  });

  it('has no type when that is longer than any, which would take the parser long', () => {
    const longest = `text/html${' '.repeat(1_024 - 'text/html'.length)}`;
    expect(parseContentType(longest)?.essence).toBe('text/html');
    expect(parseContentType(`${longest} `)).toBeUndefined();
    expect(decodeDataUri(`data:text/html${' '.repeat(100_000)}x,y`).contentType).toBeUndefined();
  });

  it.each(['data:text/plain', 'data:;base64,a', 'data:;base64,a===', 'data:;base64,aGk=aGk=', 'data:;base64,a-_b'])(
    '%s is rejected',
    (uri) => {
      expect(() => decodeDataUri(uri)).toThrow('Malformed data: URI');
    },
  );

  it('decodes to any bytes, in base64 and percent-encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (content) => {
        const base64 = Buffer.from(content).toString('base64');
        const percents = [...content].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        for (const uri of [
          `data:;base64,${base64}`,
          `data:;base64,${encodeURIComponent(base64)}`,
          `data:,${percents}`,
        ]) {
          expect(Buffer.from(decodeDataUri(uri).bytes).equals(content)).toBe(true);
        }
      }),
    );
  });
});
