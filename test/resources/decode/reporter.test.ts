import { describe, expect, it } from 'vitest';
import { nearest, pathText } from '../../../src/resources/decode/reporter.ts';

describe('a message', () => {
  it('formats the path of a field', () => {
    expect(pathText(['spec', 'rules', 0, 'matches'])).toBe('spec.rules[0].matches');
    expect(pathText(['metadata', 'annotations', 'a.b/c'])).toBe('metadata.annotations["a.b/c"]');
    expect(pathText(['spec', ''])).toBe('spec[""]');
    expect(pathText([])).toBe('');
  });

  it('shortens a path as a whole', () => {
    expect(pathText(['spec', 'x'.repeat(1_000_000)])).toHaveLength(200);
    expect(pathText(Array.from({ length: 200 }, () => 'deeper'))).toHaveLength(200);
  });

  it('suggests the nearest name, ignoring letter case', () => {
    expect(nearest('MATCHLABEL', ['matchExpressions', 'matchLabels'])).toBe('matchLabels');
    expect(nearest('zzz', ['b', 'a'])).toBe('b');
    expect(nearest('anything', [])).toBeUndefined();
  });
});
