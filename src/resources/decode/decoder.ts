import { AmbiguousScalar } from '../ambiguous-scalar.ts';
import type { Part, Path } from '../model.ts';
import { ok } from '../part.ts';
import type { Report } from './reporter.ts';

/**
 * Reads one value, whatever it is, and never throws. `undefined` stands for a field that is not there. Whatever it does
 * not understand it both reports and returns as a fault.
 */
export type Decoder<T> = (value: unknown, at: Path, report: Report) => Part<T>;

/** Understands everything and looks at nothing: a known field that means nothing here, or that is read elsewhere. */
export const anything: Decoder<unknown> = (value) => ok(value);

/** Also understands an absent field. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, at, report) => (value === undefined ? ok(undefined) : decoder(value, at, report));
}

/** Also understands an absent field, as the API does: it is the default. */
export function defaulted<T>(decoder: Decoder<T>, byDefault: T): Decoder<T> {
  return (value, at, report) => (value === undefined ? ok(byDefault) : decoder(value, at, report));
}

/** A field that the API requires and that we can do without: its absence is reported, and the value stands in for it. */
export function requiredOr<T>(decoder: Decoder<T>, standIn: T, expected: string): Decoder<T> {
  return (value, at, report) => {
    if (value !== undefined) return decoder(value, at, report);
    report.error(at, misfit(value, expected));
    return ok(standIn);
  };
}

/** Goes on with what was understood. */
export function refine<T, U>(decoder: Decoder<T>, next: (value: T, at: Path, report: Report) => Part<U>): Decoder<U> {
  return (value, at, report) => {
    const part = decoder(value, at, report);
    return part.ok ? next(part.value, at, report) : part;
  };
}

/** A field that people write here and that has no place here. `complaint` says why and what to do. */
export function refused(complaint: string): Decoder<undefined> {
  return (value, at, report) => (value === undefined ? ok(undefined) : report.error(at, complaint));
}

/** A field that people write here and that does nothing. `complaint` says why and what to do. */
export function pointless(complaint: string): Decoder<undefined> {
  return (value, at, report) => {
    if (value !== undefined) report.warning(at, complaint);
    return ok(undefined);
  };
}

/** Continues "<field> …" for a value that is of another type than `expected`. */
export function misfit(value: unknown, expected: string): string {
  if (value === undefined) return `is missing: write ${expected}.`;
  if (value === null) return `is null: write ${expected}.`;
  if (value instanceof AmbiguousScalar) return `${ambiguity(value)}: write ${expected}.`;
  if (Array.isArray(value)) return `is a list: write ${expected}.`;
  if (typeof value === 'object') return `is a mapping: write ${expected}.`;
  return `is a ${typeof value === 'bigint' ? 'number' : typeof value}: write ${expected}.`;
}

/** Continues "<field> …" for a value that YAML does not make clear. */
export function ambiguity(value: AmbiguousScalar): string {
  return `is ${value.text.slice(0, 40)}, which YAML 1.1 and YAML 1.2 read differently`;
}
