import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseWithoutLongStrings } from '../../src/json/long-strings.ts';

const names = new Set(['text', 'data']);

/** What is expected: the value without the strings that are longer than 8 characters. */
function withoutLong(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLong);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isLeftOut = names.has(name) && typeof member === 'string' && JSON.stringify(member).length - 1 > 8;
      return [name, isLeftOut ? '' : withoutLong(member)];
    }),
  );
}

const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom(1, null, true, '\\"\\', 'text', '":"text'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('text', 'data', 'uri', 'a'), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('a text that is parsed without long strings', () => {
  it('has every other value', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parseWithoutLongStrings(text, names, 8)).toEqual({ value: withoutLong(value) });
      }),
    );
  });

  it('is refused when a string that is left out is none of JSON', () => {
    const long = 'x'.repeat(100_000);
    for (const wrong of ['\n', '\\x', '\\u12', '\\u12zz', '\u0000']) {
      for (const inner of [`${wrong}${long}`, `${long}${wrong}`, `${long}${wrong}${long}`]) {
        expect(parseWithoutLongStrings(`{"text":"${inner}"}`, names, 8), JSON.stringify(wrong)).toBeUndefined();
      }
    }
    expect(parseWithoutLongStrings(`{"text":"${long}`, names, 8)).toBeUndefined();
    expect(parseWithoutLongStrings(`{"text" "${long}"}`, names, 8)).toBeUndefined();
  });

  it('may have escape sequences wherever it is divided to be checked', () => {
    for (const sequence of ['\\\\', '\\u00e9', '\\"', '\\\\\\n', '\\ud83d\\ude00']) {
      for (let shift = 0; shift < 12; shift += 1) {
        const inner = 'x'.repeat(shift) + sequence.repeat(70_000);
        expect(parseWithoutLongStrings(`{"text":"${inner}"}`, names, 8)).toEqual({ value: { text: '' } });
      }
    }
  });

  it('is searched for escape sequences at most once, whatever characters it has', () => {
    for (const unit of ['x', '\\\\', 'é', '\\u00e9']) {
      const text = `{"text":"${unit.repeat(500_000)}"}`;
      const searched = vi.spyOn(String.prototype, 'lastIndexOf');
      parseWithoutLongStrings(text, names, 8);
      const characters = searched.mock.contexts.reduce<number>((sum, each) => sum + String(each).length, 0);
      searched.mockRestore();
      expect(characters).toBeLessThanOrEqual(text.length);
    }
  });
});
