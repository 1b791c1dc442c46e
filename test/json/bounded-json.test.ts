import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonBounds, measureJson, parseBoundedJson } from '../../src/json/bounded-json.ts';

const wide: JsonBounds = { maxValues: 1_000_000, maxDepth: 1_000 };
const kindOf = (text: string, bounds: Partial<JsonBounds>): string =>
  parseBoundedJson(text, { ...wide, ...bounds }).kind;

describe('parseBoundedJson', () => {
  it('parses what is within its bounds as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseBoundedJson(text, wide)).toEqual({ kind: 'json', value: JSON.parse(text) });
      }),
    );
  });

  it.each(['', '{', '[1,]', 'nul', '"', '"\\', '{"a" 1}', ']', '\u0000'])('says that %j is no JSON', (text) => {
    expect(kindOf(text, {})).toBe('not-json');
  });

  it.each([
    ['1', 1, 0],
    ['[1,2,3]', 4, 1],
    ['{"a":1,"b":2}', 5, 1],
    ['[[[1]]]', 4, 3],
    ['{"a":{"b":[1]}}', 6, 3],
  ])('counts the values and the depth of %s', (text, maxValues, maxDepth) => {
    expect(kindOf(text, { maxValues, maxDepth })).toBe('json');
    expect(kindOf(text, { maxValues: maxValues - 1 })).toBe('too-many-values');
    if (maxDepth > 0) expect(kindOf(text, { maxDepth: maxDepth - 1 })).toBe('too-deep');
  });

  it('counts nothing within strings', () => {
    expect(kindOf('["[[{,,:\\"[[","\\\\"]', { maxValues: 3, maxDepth: 1 })).toBe('json');
  });

  it('ends a string where JSON ends it, for any run of quotes and backslashes', () => {
    const pieces = fc.array(fc.constantFrom('"', '\\', 'x', ',', '[', '\n'), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(pieces), (texts) => {
        const strings = texts.map((parts) => parts.join(''));
        const values = strings.length === 0 ? 2 : strings.length + 1;
        expect(measureJson(JSON.stringify(strings), wide)).toEqual({ kind: 'within', values });
      }),
    );
  });

  it('never lets more values through than it was told', () => {
    const count = (value: unknown): number => {
      if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + count(item), 1);
      if (typeof value !== 'object' || value === null) return 1;
      return Object.values(value).reduce<number>((sum, item) => sum + 1 + count(item), 1);
    };
    fc.assert(
      fc.property(fc.json(), fc.nat(40), (text, maxValues) => {
        const result = parseBoundedJson(text, { maxValues, maxDepth: 100 });
        if (result.kind === 'json') expect(count(result.value)).toBeLessThanOrEqual(maxValues);
      }),
    );
  });
});
