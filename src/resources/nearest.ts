import { closest } from 'fastest-levenshtein';

/** The known name that looks most like `name`, whatever its letter case; the first of equally near ones. Undefined when nothing is known. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const folded = known.map((candidate) => candidate.toLowerCase());
  return known[folded.indexOf(closest(name.slice(0, 100).toLowerCase(), folded))];
}
