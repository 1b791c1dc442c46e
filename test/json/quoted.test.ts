import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted, shortened } from '../../src/json/quoted.ts';

describe('a quotation', () => {
  it('is a JSON string on one line, with what moves the cursor or changes the direction of text escaped', () => {
    expect(quoted('a"b\n')).toBe('"a\\"b\\n"');
    expect(quoted('\u009b2J\u202e\u2028')).toBe('"\\u{9b}2J\\u{202e}\\u{2028}"');
    expect(quoted('\u{e0001}')).toBe('"\\u{e0001}"');
    expect(quoted('\ud83d')).toBe('"\\ud83d"');
  });

  it('has 200 characters at most, of which the last shows that it was cut short', () => {
    expect(quoted('x'.repeat(198))).toBe(`"${'x'.repeat(198)}"`);
    expect(quoted('x'.repeat(199))).toBe(`"${'x'.repeat(197)}"…`);
    expect(quoted('\0'.repeat(1_000_000))).toHaveLength(3 + 32 * 6);
  });
});

it('a text of any length and any characters is quoted and shortened to 200 printable characters', () => {
  const unit = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('\0', '"', '\ud83d', '\u202e'));
  fc.assert(
    fc.property(unit, fc.constantFrom(1, 7, 20, 300, 100_000), (text, times) => {
      for (const short of [quoted(text.repeat(times)), shortened(text.repeat(times))]) {
        expect(short.length).toBeLessThanOrEqual(200);
        expect(short).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(short.isWellFormed()).toBe(true);
      }
    }),
  );
});

describe('a message of others', () => {
  it('is one line without quotation marks, and ends in an ellipsis when it was cut short', () => {
    expect(shortened(' two\r\n\tlines ')).toBe('two lines');
    expect(shortened('x'.repeat(200))).toBe('x'.repeat(200));
    expect(shortened('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    expect(shortened(`${'x'.repeat(199)}\u{1f600}`)).toBe(`${'x'.repeat(199)}…`);
    expect(shortened(`x${' '.repeat(500)}y`)).toBe('x…');
  });
});
