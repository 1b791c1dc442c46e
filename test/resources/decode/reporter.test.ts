import { describe, expect, it } from 'vitest';
import { nearest, pathText, quoted } from '../../../src/resources/decode/reporter.ts';

describe('a message', () => {
  it('formats the path of a field', () => {
    expect(pathText(['spec', 'rules', 0, 'matches'])).toBe('spec.rules[0].matches');
    expect(pathText(['metadata', 'annotations', 'a.b/c'])).toBe('metadata.annotations["a.b/c"]');
    expect(pathText(['spec', ''])).toBe('spec[""]');
    expect(pathText([])).toBe('');
  });

  it('quotes user text on one line, shortened to 64 characters', () => {
    expect(quoted('a"b\n')).toBe('"a\\"b\\n"');
    expect(quoted('\u009b2J\u202e\u2028')).toBe('"\\u{9b}2J\\u{202e}\\u{2028}"');
    expect(quoted('x'.repeat(65))).toBe(`"${'x'.repeat(60)}"…`);
  });

  it('suggests the nearest name, ignoring letter case', () => {
    expect(nearest('MATCHLABEL', ['matchExpressions', 'matchLabels'])).toBe('matchLabels');
    expect(nearest('zzz', ['b', 'a'])).toBe('b');
    expect(nearest('anything', [])).toBeUndefined();
  });
});
