import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJson, findStrings } from '../../src/json/find-strings.ts';
import { objectIn, textIn } from '../../src/json/json.ts';

const paths = new Set(['kind', 'metadata.name', 'metadata.uid']);
const found = (text: string): object => Object.fromEntries(findStrings(text, paths));

describe('findStrings', () => {
  it('finds what JSON.parse has at these places, whatever is around', () => {
    const key = fc.constantFrom('kind', 'metadata', 'name', 'uid', 'metadata.name', 'a"b', '[]');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.constantFrom(1, null, true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 5 }), fc.boolean(), (object, pretty) => {
        const text = JSON.stringify(object, undefined, pretty ? 2 : undefined);
        const parsed: unknown = JSON.parse(text);
        const strings = findStrings(text, paths);
        const metadata = objectIn(parsed, 'metadata');
        const expected = [textIn(parsed, 'kind'), textIn(metadata, 'name'), textIn(metadata, 'uid')];
        // `textIn` takes an empty text for none.
        expect([...paths].map((path) => strings.get(path) || undefined)).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['is cut off', '{"metadata":{"name":"a","uid":"u","x":[{},{'],
    ['has more values than fit', `{"metadata":{"name":"a","uid":"u"},"spec":[${'{},'.repeat(100_000)}0]}`],
    ['is nested', `{"spec":${'['.repeat(100_000)}${']'.repeat(100_000)},"metadata":{"name":"a","uid":"u"}}`],
  ])('reads a text that %s', (_what, text) => {
    expect(found(text)).toEqual({ 'metadata.name': 'a', 'metadata.uid': 'u' });
  });

  it.each([
    ['a string without an end', '{"kind":"a'],
    ['an invalid escape', '{"kind":"\\x"}'],
    ['a long string', `{"kind":"${'x'.repeat(5_000)}"}`],
    ['an array in between', '{"metadata":[{"name":"a"}]}'],
    ['a key with a dot', '{"metadata.name":"a"}'],
  ])('finds nothing in %s', (_what, text) => {
    expect(found(text)).toEqual({});
  });
});

describe('findJson', () => {
  const json = (text: string, ...paths: readonly string[]): object =>
    Object.fromEntries(findJson(text, new Set(paths)));

  it('finds the texts of objects, arrays and strings, also behind what is too much', () => {
    const spec = '{"a":[{"b":[1]},"]"],"c":{"d":"x"},"e":"\\"y"}';
    const text = `{"x":[${'{},'.repeat(100_000)}0],"spec":${spec}}`;
    expect(json(text, 'spec.a', 'spec.c', 'spec.e', 'spec.f')).toEqual({
      'spec.a': '[{"b":[1]},"]"]',
      'spec.c': '{"d":"x"}',
      'spec.e': '"\\"y"',
    });
    expect(json(text, 'spec')).toEqual({ spec });
  });

  it('finds nothing in arrays, and of what is too long only that it is there', () => {
    expect(json('[{"a":{}},{"a":[]}]', 'a')).toEqual({});
    expect(json(`{"a":[${'0,'.repeat(40_000)}0]}`, 'a')).toEqual({ a: '' });
  });
});
