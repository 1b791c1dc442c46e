import { describe, expect, it } from 'vitest';
import { findRegExps } from '../../scripts/regexps/collect.ts';

describe('the check of regular expressions', () => {
  it('finds literals wherever they stand, and expressions that are made of values', () => {
    const source = [
      'const a = /a+$/gi;',
      'function f<T>(text: string): boolean { return text.split(/b/).some((part) => /c[/]d/.test(part)); }',
      'class C { readonly #e = new RegExp(a.source); f = RegExp("g"); }',
      'const notOne = 1 / 2 / 3; // /h/',
    ].join('\n');
    expect(findRegExps('x.ts', source)).toEqual({
      literals: [
        { line: 1, pattern: 'a+$', flags: 'gi' },
        { line: 2, pattern: 'b', flags: '' },
        { line: 2, pattern: 'c[/]d', flags: '' },
      ],
      dynamic: [3, 3],
    });
  });
});
