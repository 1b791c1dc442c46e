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
  ['(?i)gate', ['Gate', 'GATE'], ['gat']],
  ['\\bgate\\b.*', ['gate', 'gate-1'], ['gates']],
  ['\\pL+', ['é', 'abc'], ['1', '']],
  ['[[:alpha:]]+', ['abc'], ['é', 'a1']],
  ['[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', ['01234567-89ab-cdef-0123-456789abcdef'], ['01234567']],
  ['mcpgw~10\\.0\\.0\\.\\d+~.*', ['mcpgw~10.0.0.7~pod.default~x'], ['mcpgw~10.0.1.7~pod']],
];

describe('a regular expression', () => {
  it.each(rows)('matches the whole text: %s', async (pattern, matching, others) => {
    const matches = await compileRegex(pattern);
    expect([matching.filter((text) => !matches(text)), others.filter(matches)]).toEqual([[], []]);
  });

  it('matches what a RegExp of JavaScript matches', async () => {
    const pattern = fc.letrec<{ whole: string; part: string }>((tie) => ({
      part: fc.oneof({ maxDepth: 4 }, fc.constantFrom('a', 'b', '.', '[ab]', '[^a]'), tie('whole')),
      whole: fc.oneof(
        fc.tuple(tie('part'), tie('part')).map(([left, right]) => left + right),
        fc.tuple(tie('part'), tie('part')).map(([left, right]) => `(?:${left}|${right})`),
        fc.tuple(tie('part'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}')).map(([of, count]) => `(?:${of})${count}`),
      ),
    })).whole;
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(pattern, text, async (one, subject) => {
        const matches = await compileRegex(one);
        expect(matches(subject)).toBe(new RegExp(`^(?:${one})$`).test(subject));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['(', 'missing closing )'],
    ['a)', 'unexpected )'],
    ['[a', 'missing closing ]'],
    ['[b-a]', 'invalid character class range'],
    ['[a-\\d]', 'invalid escape sequence'],
    ['*a', 'missing argument to repetition operator'],
    ['a**', 'invalid nested repetition operator'],
    ['a{2}{2}', 'invalid nested repetition operator'],
    ['a{2,1}', 'invalid repeat count'],
    ['a{1001}', 'invalid repeat count'],
    ['(?=a)', 'unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
    ['a\\', 'trailing backslash'],
  ])('is rejected when it is invalid in RE2: %s', async (pattern, problem) => {
    await expect(compileRegex(pattern)).rejects.toThrow(problem);
  });

  it.each([
    ['the text', 'a'.repeat(1025), 'longer than 1024'],
    ['the program', '(a?b){200}', 'too large: 1002 instructions'],
    ['nested repetitions', '((a{100}){100}){100}', 'repetitions written out'],
    ['repetitions of nothing', '(((){1000}){1000}){1000}', 'repetitions written out'],
    ['repetitions of a long text', `(((${'a'.repeat(900)}){10}){10}){10}`, 'repetitions written out'],
    ['many repetitions', 'a{1000}'.repeat(100), 'repetitions written out'],
    ['repetitions behind empty quotes', `((${'a'.repeat(900)})\\Q\\E{30})\\Q\\E{30}`, 'repetitions written out'],
  ])('is rejected when %s is too large', async (_, pattern, problem) => {
    await expect(compileRegex(pattern)).rejects.toThrow(problem);
  });

  it.each(['(a+)+b', '(a|a)*b', '(a|aa)+b', 'a*a*a*a*a*a*b', '(.*)*.*b'])(
    'takes linear time, whatever the pattern: %s',
    async (pattern) => {
      // A backtracking engine needs longer than the age of the universe for most of these.
      const matches = await compileRegex(pattern);
      expect(matches('a'.repeat(5_000))).toBe(false);
    },
  );
});
