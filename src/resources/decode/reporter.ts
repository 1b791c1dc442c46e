import type { Fault, Path, Problem } from '../model.ts';
import { comparePaths, pathText } from '../path.ts';

/** So many problems of one object are told one by one; who has more has one problem: the whole object. */
const MOST = 100;

/** Collects what there is to say about one object while it is decoded. */
export interface Report {
  /** Something that serving drops, or that `check` refuses. `complaint` continues the sentence that the path begins. */
  error(at: Path, complaint: string): Fault;
  /** Something that drops nothing. Returns the whole sentence. */
  warning(at: Path, complaint: string): string;
  /** Everything that was said, in the order of the paths. */
  problems(): readonly Problem[];
}

/** An empty report. */
export function createReport(): Report {
  const told: Problem[] = [];
  const untold = { error: 0, warning: 0 };
  const tell = (severity: 'error' | 'warning', path: Path, complaint: string): string => {
    const message = `${path.length === 0 ? 'The object' : pathText(path)} ${complaint}`;
    if (told.length < MOST) told.push({ severity, path, message });
    else untold[severity] += 1;
    return message;
  };
  return {
    error: (at, complaint) => ({ ok: false, reason: tell('error', at, complaint) }),
    warning: (at, complaint) => tell('warning', at, complaint),
    problems: () => [...told.toSorted(compareProblems), ...summary(untold)],
  };
}

function compareProblems(a: Problem, b: Problem): number {
  return comparePaths(a.path, b.path) || (a.message < b.message ? -1 : 1);
}

function summary(untold: { readonly error: number; readonly warning: number }): readonly Problem[] {
  const count = untold.error + untold.warning;
  if (count === 0) return [];
  const message = `The object has ${count} more problems (${untold.error} of them errors): mend the listed ones first.`;
  return [{ severity: untold.error > 0 ? 'error' : 'warning', path: [], message }];
}
