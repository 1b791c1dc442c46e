import { quoted } from '../../json/quoted.ts';
import type { Parsed, Path } from '../model.ts';
import { AmbiguousScalar, ambiguousScalar, type Decoder, ok, typeMismatch } from './decoder.ts';
import type { Reporter } from './reporter.ts';

/** A format that a string must have. `expected` completes the sentence "write …". */
export interface TextRule {
  readonly expected: string;
  readonly test: (text: string) => boolean;
  /** Keeps the value out of messages. */
  readonly hidden?: true;
}

/** Any string. */
export const anyText: TextRule = { expected: 'a string', test: () => true };

/** Accepts a string of the format. A number is not a string. */
export function text(rule: TextRule): Decoder<string> {
  return (value, path, reporter) => {
    if (typeof value !== 'string') return notAString(rule, value, path, reporter);
    return rule.test(value) ? ok(value) : reporter.error(path, formatMismatch(rule, value));
  };
}

/** Accepts any string, and reports one of another format: the API server refuses it. */
export function lenientText(rule: TextRule): Decoder<string> {
  return (value, path, reporter) => {
    if (typeof value !== 'string') return notAString(rule, value, path, reporter);
    if (!rule.test(value)) reporter.error(path, formatMismatch(rule, value));
    return ok(value);
  };
}

/** Accepts one of the words, compared exactly. */
export function oneOf<const W extends string>(words: readonly W[]): Decoder<W> {
  const expected = alternatives(words.filter((word) => word !== ''));
  return (value, path, reporter) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return ok(word);
    const detail = typeof value === 'string' ? formatMismatch({ expected }, value) : typeMismatch(value, expected);
    return reporter.error(path, detail);
  };
}

/**
 * Accepts one of the words, ignoring letter case.
 *
 * @param words in lower case
 * @param spelt the words as messages show them
 */
export function oneOfIgnoringCase<const W extends string>(words: readonly W[], spelt: readonly string[]): Decoder<W> {
  const expected = alternatives(spelt);
  return (value, path, reporter) => {
    if (typeof value !== 'string') return reporter.error(path, typeMismatch(value, expected));
    const folded = value.toLowerCase();
    const word = words.find((candidate) => candidate === folded);
    return word === undefined ? reporter.error(path, formatMismatch({ expected }, value)) : ok(word);
  };
}

/** Accepts an integer from 1 to 65535; the string "80" is not one. */
export const portNumber: Decoder<number> = (value, path, reporter) => {
  if (typeof value !== 'number')
    return reporter.error(path, typeMismatch(value, 'an integer from 1 to 65535, without quotes'));
  if (Number.isInteger(value) && value >= 1 && value <= 65535) return ok(value);
  return reporter.error(path, `is ${value}: write an integer from 1 to 65535.`);
};

/** Returns whether the text has more than `most` characters (code points, not UTF-16 units). */
export function longerThan(most: number, value: string): boolean {
  return value.length > most && (value.length > 2 * most || [...value].length > most);
}

function notAString(rule: TextRule, value: unknown, path: Path, reporter: Reporter): Parsed<never> {
  if (value instanceof AmbiguousScalar)
    return reporter.error(path, `${ambiguousScalar(value)}: quote it to make it a string.`);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    const type = typeof value === 'boolean' ? 'boolean' : 'number';
    return reporter.error(path, `is a ${type} and no string: quote it.`);
  }
  return reporter.error(path, typeMismatch(value, rule.expected));
}

function formatMismatch(rule: Pick<TextRule, 'expected' | 'hidden'>, value: string): string {
  if (rule.hidden) return `is not understood: write ${rule.expected}.`;
  return `is ${quoted(value)}: write ${rule.expected}.`;
}

function alternatives(words: readonly string[]): string {
  const list = words.map((word) => JSON.stringify(word));
  const last = list.pop() ?? 'nothing';
  return list.length === 0 ? last : `${list.join(', ')} or ${last}`;
}
