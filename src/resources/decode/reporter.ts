import { closest, distance } from 'fastest-levenshtein';
import { quoted, shortened } from '../../json/quoted.ts';
import type { Invalid, Path, Problem } from '../model.ts';

/** Problems of one object that are listed one by one; the others are counted in one more problem. */
const mostProblems = 100;

/** Collects the problems of one object while it is decoded. */
export interface Reporter {
  /**
   * Adds something that serving drops, or that `check` refuses. The message is the path of the field followed by
   * `detail`, a full stop included.
   */
  error(path: Path, detail: string): Invalid;
  /** Adds something that drops nothing. Returns the message. */
  warning(path: Path, detail: string): string;
  /** All problems, sorted by path. */
  problems(): readonly Problem[];
}

/** Creates a reporter without problems. */
export function createReporter(): Reporter {
  const listed: Problem[] = [];
  const omitted = { error: 0, warning: 0 };
  const add = (severity: 'error' | 'warning', path: Path, detail: string): string => {
    const message = `${path.length === 0 ? 'The object' : pathText(path)} ${detail}`;
    if (listed.length < mostProblems) listed.push({ severity, path, message });
    else omitted[severity] += 1;
    return message;
  };
  return {
    error: (path, detail) => ({ ok: false, reason: add('error', path, detail) }),
    warning: (path, detail) => add('warning', path, detail),
    problems: () => [...listed.toSorted(compareProblems), ...summary(omitted)],
  };
}

/** Formats a path: `spec.rules[0].matches`; unusual keys in quotes. Shortened; empty for the whole object. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (step.length > 64 || !plainKey.test(step)) text += `[${quoted(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return shortened(text);
}

const plainKey = /^[A-Za-z_$][\w$-]*$/;

/**
 * The known name with the smallest edit distance to `name`, ignoring letter case; the first of equally near ones.
 * Undefined when `known` is empty.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const folded = known.map((candidate) => candidate.toLowerCase());
  return known[folded.indexOf(closest(name.slice(0, 100).toLowerCase(), folded))];
}

/** Returns whether two names differ in at most `most` letters, ignoring letter case. */
export function isNear(name: string, other: string, most: number): boolean {
  if (Math.abs(name.length - other.length) > most) return false;
  return distance(name.toLowerCase(), other.toLowerCase()) <= most;
}

/** Sorts by path, so that the order of keys in the input has no effect. */
function compareProblems(a: Problem, b: Problem): number {
  return comparePaths(a.path, b.path) || (a.message < b.message ? -1 : 1);
}

function comparePaths(a: Path, b: Path): number {
  for (const [position, step] of a.entries()) {
    const other = b[position];
    if (other === undefined) return 1;
    if (step === other) continue;
    if (typeof step === 'number' && typeof other === 'number') return step - other;
    return String(step) < String(other) ? -1 : 1;
  }
  return a.length - b.length;
}

function summary(omitted: { readonly error: number; readonly warning: number }): readonly Problem[] {
  const count = omitted.error + omitted.warning;
  if (count === 0) return [];
  const message = `The object has ${count} more problems (${omitted.error} of them errors): mend the listed ones first.`;
  return [{ severity: omitted.error > 0 ? 'error' : 'warning', path: [], message }];
}
