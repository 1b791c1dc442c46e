import { AmbiguousScalar } from '../ambiguous-scalar.ts';
import type { Part, Path } from '../model.ts';
import { ok } from '../part.ts';
import { quoted } from '../path.ts';
import { ambiguity, type Decoder, misfit } from './decoder.ts';
import type { Report } from './reporter.ts';

/** What a string has to be. `expected` completes "write …". */
export interface TextRule {
  readonly expected: string;
  readonly test: (text: string) => boolean;
  /** For what messages must not repeat. */
  readonly hidden?: true;
}

/** Any string at all. */
export const ANY_TEXT: TextRule = { expected: 'a string', test: () => true };

/** A string that keeps to the rule. A number is no string. */
export function text(rule: TextRule): Decoder<string> {
  return (value, at, report) => {
    if (typeof value !== 'string') return noString(rule, value, at, report);
    return rule.test(value) ? ok(value) : report.error(at, broken(rule, value));
  };
}

/** A string that is understood in any case; one that breaks the rule is reported, for the API refuses it. */
export function looseText(rule: TextRule): Decoder<string> {
  return (value, at, report) => {
    if (typeof value !== 'string') return noString(rule, value, at, report);
    if (!rule.test(value)) report.error(at, broken(rule, value));
    return ok(value);
  };
}

/** One of a few words, compared exactly. */
export function oneOf<const W extends string>(words: readonly W[]): Decoder<W> {
  const expected = alternatives(words.filter((word) => word !== ''));
  return (value, at, report) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return ok(word);
    return report.error(at, typeof value === 'string' ? broken({ expected }, value) : misfit(value, expected));
  };
}

/** One of a few lower case words, written in any letter case. */
export function oneOfAnyCase<const W extends string>(words: readonly W[], spelt: readonly string[]): Decoder<W> {
  const expected = alternatives(spelt);
  return (value, at, report) => {
    if (typeof value !== 'string') return report.error(at, misfit(value, expected));
    const folded = value.toLowerCase();
    const word = words.find((candidate) => candidate === folded);
    return word === undefined ? report.error(at, broken({ expected }, value)) : ok(word);
  };
}

/** Whether the text has more than so many characters (not UTF-16 units). */
export function longerThan(most: number, value: string): boolean {
  return value.length > most && (value.length > 2 * most || [...value].length > most);
}

function noString(rule: TextRule, value: unknown, at: Path, report: Report): Part<never> {
  if (value instanceof AmbiguousScalar) return report.error(at, `${ambiguity(value)}: quote it to make it a string.`);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    const type = typeof value === 'boolean' ? 'boolean' : 'number';
    return report.error(at, `is a ${type} and no string: quote it.`);
  }
  return report.error(at, misfit(value, rule.expected));
}

function broken(rule: Pick<TextRule, 'expected' | 'hidden'>, value: string): string {
  if (rule.hidden) return `is not understood: write ${rule.expected}.`;
  return `is ${quoted(value)}: write ${rule.expected}.`;
}

function alternatives(words: readonly string[]): string {
  const list = words.map((word) => JSON.stringify(word));
  const last = list.pop() ?? 'nothing';
  return list.length === 0 ? last : `${list.join(', ')} or ${last}`;
}
