import type { Part } from '../model.ts';
import { firstFault, ok } from '../part.ts';
import { type Decoder, misfit } from './decoder.ts';

/** How many entries the API accepts. */
export interface Limits {
  readonly least?: number;
  readonly most?: number;
}

/** A list whose entries stand alone: one that is not understood leaves its neighbours. A count beyond the limits is reported only. */
export function list<T>(
  item: Decoder<T>,
  { least = 0, most = Number.POSITIVE_INFINITY }: Limits = {},
): Decoder<readonly Part<T>[]> {
  return (value, at, report) => {
    if (!Array.isArray(value)) return report.error(at, misfit(value, 'a list'));
    if (value.length < least) report.error(at, `has ${value.length} entries: write at least ${least}.`);
    if (value.length > most) report.error(at, `has ${value.length} entries: write at most ${most}.`);
    return ok(Array.from(value, (entry: unknown, position) => item(entry, [...at, position], report)));
  };
}

/** A list that is understood only when every entry is. */
export function wholeList<T>(item: Decoder<T>, limits?: Limits): Decoder<readonly T[]> {
  const parts = list(item, limits);
  return (value, at, report) => {
    const read = parts(value, at, report);
    if (!read.ok) return read;
    return firstFault(read.value) ?? ok(read.value.flatMap((part) => (part.ok ? [part.value] : [])));
  };
}
