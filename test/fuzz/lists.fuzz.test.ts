import { describe, expect } from 'vitest';
import { isJsonObject, parseJson } from '../../src/json/json.ts';
import { ListStreamParser } from '../../src/source/cluster/reflector/list-stream-parser.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** What a parser makes of a list that arrives in pieces of this many bytes; undefined when it is refused. */
function parse(
  bytes: Buffer,
  piece: number,
): { readonly list: unknown; readonly items: readonly unknown[] } | undefined {
  const items: unknown[] = [];
  const parser = new ListStreamParser(({ text }) => {
    const item = parseJson(text);
    if (item !== undefined) items.push(item.value);
    return item !== undefined;
  });
  for (let start = 0; start < bytes.length; start += piece) {
    if (!parser.push(bytes.subarray(start, start + piece))) return undefined;
  }
  const list = parser.finish();
  return list === undefined ? undefined : { list, items };
}

describe('a list of the API server', () => {
  fuzz('has the items that JSON.parse finds, however it is cut, or is refused', {
    corpus: new URL('./corpus/lists/', import.meta.url),
    dictionary: [
      '"items":[',
      '"items":null',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\"',
      '\\u0069tems',
      'null',
      '1',
    ],
    run(input) {
      const whole = parse(input, Math.max(1, input.length));
      expect(parse(input, pieceOf(input))).toEqual(whole);
      if (whole === undefined) return;
      const json = parseJson(input.toString())?.value;
      expect(isJsonObject(json)).toBe(true);
      expect((isJsonObject(json) ? json['items'] : undefined) ?? []).toEqual(whole.items);
    },
  });
});

/** Bytes of the pieces that an input is cut into: few, but no more than two hundred pieces of a long one. */
function pieceOf(input: Buffer): number {
  return 1 + ((input[0] ?? 0) % 13) + Math.floor(input.length / 200);
}
