import type { Parsed } from '../model.ts';
import { type Decoder, firstInvalid, ok, typeMismatch } from './decoder.ts';

/** The number of entries that the API accepts. */
export interface CountLimits {
  readonly least?: number;
  readonly most?: number;
}

/** Decodes each entry on its own: an invalid one leaves its neighbours. A count outside the limits is only reported. */
export function list<T>(
  item: Decoder<T>,
  { least = 0, most = Number.POSITIVE_INFINITY }: CountLimits = {},
): Decoder<readonly Parsed<T>[]> {
  return (value, path, reporter) => {
    if (!Array.isArray(value)) return reporter.error(path, typeMismatch(value, 'a list'));
    if (value.length < least) reporter.error(path, `has ${value.length} entries: write at least ${least}.`);
    if (value.length > most) reporter.error(path, `has ${value.length} entries: write at most ${most}.`);
    return ok(Array.from(value, (entry: unknown, position) => item(entry, [...path, position], reporter)));
  };
}

/** Rejects a list unless all of its entries are valid. */
export function allValidList<T>(item: Decoder<T>, limits?: CountLimits): Decoder<readonly T[]> {
  const entries = list(item, limits);
  return (value, path, reporter) => {
    const parsed = entries(value, path, reporter);
    if (!parsed.ok) return parsed;
    return firstInvalid(parsed.value) ?? ok(parsed.value.flatMap((entry) => (entry.ok ? [entry.value] : [])));
  };
}
