import { distance } from 'fastest-levenshtein';
import type { Collection } from '../graph/model.ts';

/** Names longer than this are compared by their beginning: the comparison takes the product of both lengths. */
const longest = 200;

/**
 * The name with the smallest edit distance, ignoring letter case; the first in the order of the alphabet of equally near
 * ones. Undefined when none is near: more than a third of the letters, and more than two, differ.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best = { name: '', distance: Math.max(2, Math.floor(wanted.length / 3)) };
  for (const candidate of known) {
    if (candidate === name || Math.abs(candidate.length - name.length) > best.distance) continue;
    const found = distance(wanted, fold(candidate));
    const nearer = found < best.distance || (found === best.distance && (best.name === '' || candidate < best.name));
    if (nearer) best = { name: candidate, distance: found };
  }
  return best.name === '' ? undefined : best.name;
}

/** The edit distance relative to the longer text, from 0 to 1: orders near misses. */
export function dissimilarity(a: string, b: string): number {
  const length = Math.max(a.length, b.length, 1);
  return distance(fold(a), fold(b)) / length;
}

function fold(name: string): string {
  return name.slice(0, longest).toLowerCase();
}

/** Iterates over the keys of a collection. */
export function* keysOf(collection: Collection<unknown>): Generator<string> {
  for (const [key] of collection.entries()) yield key;
}
