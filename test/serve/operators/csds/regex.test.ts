import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex } from '../../../../src/serve/operators/csds/regex.ts';

const rows: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ['abc', ['abc'], ['', 'ab', 'abcd', 'xabc', 'ABC']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['(a|b)*c', ['c', 'abac'], ['ab', 'abca']],
  ['a+b?', ['a', 'aab'], ['b', 'abb']],
  ['a*?b+?', ['b', 'aabb'], ['a', 'aabba']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaaa'], ['a']],
  ['a{1,3}', ['a', 'aaa'], ['', 'aaaa']],
  ['a{0}b', ['b'], ['ab']],
  ['a{,2}', ['a{,2}'], ['a', 'aa']],
  ['(?:ab){2}', ['abab'], ['ab', 'ababab']],
  ['(?P<pod>a)(?<ip>b)', ['ab'], ['a']],
  ['.', ['a', '€', '😀'], ['', 'ab', '\n']],
  ['[a-c-]', ['a', 'b', 'c', '-'], ['d', 'ab']],
  ['[^a-c]', ['d', '\n', '😀'], ['a', 'b']],
  ['[]^]', [']', '^'], ['a']],
  ['[\\d\\-_]+', ['1-2_3'], ['a']],
  ['[^\\W\\d]+', ['abc_'], ['a1', 'ä']],
  ['\\d\\D\\w\\W\\s\\S', ['1a_- x'], ['aaaaaa']],
  ['\\.\\*\\\\\\/', ['.*\\/'], ['abcd']],
  ['\\x41\\x{1F600}\\t', ['A😀\t'], ['A']],
  ['^a$', ['a'], ['ba', 'ab']],
  ['\\Aa\\z', ['a'], ['aa']],
  ['a$b|c^d', [], ['ab', 'cd', 'a', 'd']],
  ['(a*)*b', ['b', 'aaab'], ['aaa']],
  ['(|a)+', ['', 'aa'], ['b']],
  ['mcpgw~10\\.0\\.0\\.\\d+~.*', ['mcpgw~10.0.0.7~pod.default~x'], ['mcpgw~10.0.1.7~pod']],
];

describe('a regular expression', () => {
  it.each(rows)('matches the whole text: %s', (pattern, matching, others) => {
    const matches = compileRegex(pattern);
    expect([matching.filter((text) => !matches(text)), others.filter(matches)]).toEqual([[], []]);
  });

  it('means what it means to JavaScript', () => {
    const pattern = fc.letrec<{ whole: string; part: string }>((tie) => ({
      part: fc.oneof({ maxDepth: 4 }, fc.constantFrom('a', 'b', '.', '[ab]', '[^a]'), tie('whole')),
      whole: fc.oneof(
        fc.tuple(tie('part'), tie('part')).map(([left, right]) => left + right),
        fc.tuple(tie('part'), tie('part')).map(([left, right]) => `(?:${left}|${right})`),
        fc.tuple(tie('part'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}')).map(([of, count]) => `(?:${of})${count}`),
      ),
    })).whole;
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (one, subject) => {
        expect(compileRegex(one)(subject)).toBe(new RegExp(`^(?:${one})$`).test(subject));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['(', '"(" without'],
    ['a)', '")" closes nothing'],
    ['[a', '"[" without'],
    ['[b-a]', 'ends before it begins'],
    ['[a-\\d]', 'ends before it begins'],
    ['*a', 'repetition of nothing'],
    ['a**', 'repetition of a repetition'],
    ['a{2}{2}', 'repetition of a repetition'],
    ['a{2,1}', 'least is more than its most'],
    ['a{1001}', 'more than 1000'],
    ['(?i)a', 'flags are not supported'],
    ['(?=a)', 'flags are not supported'],
    ['(a)\\1', '"\\1" is not supported'],
    ['\\bword', '"\\b" is not supported'],
    ['\\pL', '"\\p" is not supported'],
    ['[[:alpha:]]', 'named classes'],
    ['a\\', 'is not supported'],
    ['((a{100}){100}){100}', 'too large'],
    ['(((){1000}){1000}){1000}', 'too large'],
    ['a'.repeat(1025), 'longer than 1024'],
  ])('is refused when nobody could say what it means or what it costs: %s', (pattern, problem) => {
    expect(() => compileRegex(pattern)).toThrow(problem);
  });

  it.each(['(a+)+b', '(a|a)*b', '(a|aa)+b', 'a*a*a*a*a*a*b', '(.*)*.*b'])(
    'reads a text once, whatever the pattern: %s',
    (pattern) => {
      // An engine that tries one way after another needs more than the age of the universe for most of these.
      expect(compileRegex(pattern)('a'.repeat(5_000))).toBe(false);
    },
  );
});
