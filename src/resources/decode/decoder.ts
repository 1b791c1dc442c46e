import { shortened } from '../../json/quoted.ts';
import type { Invalid, Parsed, Path } from '../model.ts';
import type { Reporter } from './reporter.ts';

/**
 * Decodes one value of any shape. Never throws. `undefined` stands for an absent field. A value that the decoder
 * rejects is both reported and returned as `Invalid`.
 */
export type Decoder<T> = (value: unknown, path: Path, reporter: Reporter) => Parsed<T>;

/**
 * Replaces, in the input of a decoder, a plain YAML scalar that YAML 1.1 and YAML 1.2 read differently (`yes`, `010`),
 * and the value of a key that they read differently. Every decoder rejects it, with a message that says to quote it.
 */
export class AmbiguousScalar {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Wraps a valid value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The value, or undefined for an invalid one: only for fields whose invalidity is handled elsewhere. */
export function valueIfValid<T>(parsed: Parsed<T>): T | undefined {
  return parsed.ok ? parsed.value : undefined;
}

/** The first invalid one of several. */
export function firstInvalid(parsed: readonly Parsed<unknown>[]): Invalid | undefined {
  for (const one of parsed) {
    if (!one.ok) return one;
  }
  return undefined;
}

/** Turns a valid `undefined` into a plain one: an absent field and an invalid one stay apart. */
export function unwrapOptional<T>(parsed: Parsed<T | undefined>): Parsed<T> | undefined {
  if (!parsed.ok) return parsed;
  return parsed.value === undefined ? undefined : ok(parsed.value);
}

/** Accepts any value and returns it undecoded: a known field that has no effect here, or that is decoded elsewhere. */
export const unchecked: Decoder<unknown> = (value) => ok(value);

/** Accepts an absent field too. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, path, reporter) => (value === undefined ? ok(undefined) : decoder(value, path, reporter));
}

/** Fills in the API's default for an absent field. */
export function withDefault<T>(decoder: Decoder<T>, defaultValue: T): Decoder<T> {
  return (value, path, reporter) => (value === undefined ? ok(defaultValue) : decoder(value, path, reporter));
}

/** Reports an absent field that the API requires, and continues with `fallback`: serving can do without the field. */
export function requiredWithFallback<T>(decoder: Decoder<T>, fallback: T, expected: string): Decoder<T> {
  return (value, path, reporter) => {
    if (value !== undefined) return decoder(value, path, reporter);
    reporter.error(path, typeMismatch(value, expected));
    return ok(fallback);
  };
}

/** Passes a valid value to a second step, which may reject or replace it. */
export function refine<T, U>(
  decoder: Decoder<T>,
  next: (value: T, path: Path, reporter: Reporter) => Parsed<U>,
): Decoder<U> {
  return (value, path, reporter) => {
    const parsed = decoder(value, path, reporter);
    return parsed.ok ? next(parsed.value, path, reporter) : parsed;
  };
}

/** Rejects a field that users write here and that is not allowed here. `detail` gives the reason and the remedy. */
export function forbidden(detail: string): Decoder<undefined> {
  return (value, path, reporter) => (value === undefined ? ok(undefined) : reporter.error(path, detail));
}

/** Warns of a field that users write here and that has no effect. `detail` gives the reason and the remedy. */
export function ignored(detail: string): Decoder<undefined> {
  return (value, path, reporter) => {
    if (value !== undefined) reporter.warning(path, detail);
    return ok(undefined);
  };
}

/** The detail of a message about a value whose type is not `expected`. */
export function typeMismatch(value: unknown, expected: string): string {
  if (value === undefined) return `is missing: write ${expected}.`;
  if (value === null) return `is null: write ${expected}.`;
  if (value instanceof AmbiguousScalar) return `${ambiguousScalar(value)}: write ${expected}.`;
  if (Array.isArray(value)) return `is a list: write ${expected}.`;
  if (typeof value === 'object') return `is a mapping: write ${expected}.`;
  return `is a ${typeof value === 'bigint' ? 'number' : typeof value}: write ${expected}.`;
}

/** The detail of a message about an ambiguous scalar, without a remedy. */
export function ambiguousScalar(value: AmbiguousScalar): string {
  return `is ${shortened(value.text)}, which YAML 1.1 and YAML 1.2 read differently`;
}
