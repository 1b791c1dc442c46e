import type { Collection } from '../graph/model.ts';
import { pathText } from '../resources/resources.ts';
import type { Explainer, Finding, ListedProblem, ProblemList } from './model.ts';

/** What decoding found in one object, or in a file as a whole. */
export interface DecodedProblem {
  readonly severity: 'error' | 'warning';
  /** `<Kind> <key>`; undefined: the file. */
  readonly object: string | undefined;
  readonly field: string;
  readonly place: string;
  readonly message: string;
}

/** Problems that are listed; all are counted. A place takes a pass over its file, and nobody reads more. */
export const mostListed = 1_000;

/**
 * Yields what is wrong in the whole world: what decoding found, what conditions say beside that, and hints. Yields
 * undefined after each step without a problem, so that a caller can divide the work.
 */
export function* problemsOf(
  decoded: readonly DecodedProblem[],
  explainer: Pick<Explainer, 'statusFindings' | 'hints'>,
): Generator<ListedProblem | undefined> {
  const said = new Map<string, Set<string>>();
  for (const { severity, object, field, place, message } of decoded) {
    const [kind, key] = object?.split(' ', 2) ?? [];
    if (object !== undefined) said.set(object, (said.get(object) ?? new Set<string>()).add(message));
    yield { severity, from: 'input', kind, key, field, place, message, at: undefined };
  }
  for (const finding of explainer.statusFindings()) yield isSaid(finding, said) ? undefined : listed(finding);
  for (const finding of explainer.hints()) yield finding && listed(finding);
}

/** Returns whether decoding the object said the same: a sentence of a condition repeats those of its parts. */
function isSaid({ at, message }: Finding, said: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const messages = said.get(`${at.kind} ${at.key}`);
  return messages !== undefined && [...messages].some((one) => message.includes(one));
}

function listed({ severity, from, at, message }: Finding): ListedProblem {
  return { severity, from, kind: at.kind, key: at.key, field: pathText(at.path), place: undefined, message, at };
}

/** The fields for which a whole object is skipped with a warning. */
const skippedBy: ReadonlySet<string> = new Set(['kind', 'apiVersion']);

/** Skipped objects that a note is written about. */
const mostSkipped = 5;

/**
 * Says which objects are not read because of their kind or its version, which policies because they cannot be understood,
 * and which files: an answer knows nothing of them.
 */
export function skippedNotes(
  decoded: readonly DecodedProblem[],
  policies: Pick<Collection<unknown>, 'get'>,
): readonly string[] {
  const isUnread = (object: string | undefined): boolean => {
    if (object === undefined) return true;
    const [kind, key] = object.split(' ', 2);
    return kind === 'MCPAuthPolicy' && key !== undefined && policies.get(key) === undefined;
  };
  const skipped = decoded.filter(({ field, severity, object }) =>
    severity === 'warning' ? skippedBy.has(field) : isUnread(object),
  );
  const more = skipped.length > mostSkipped ? [`There are ${skipped.length - mostSkipped} more of these.`] : [];
  return [...skipped.slice(0, mostSkipped).map(({ place, message }) => `${place}: ${message}`), ...more];
}

/** Counts every problem, and keeps the first ones of each severity. */
export class CollectedProblems {
  readonly #errors: ListedProblem[] = [];
  readonly #warnings: ListedProblem[] = [];
  readonly #kinds = new Map<string, { errors: number; warnings: number }>();
  #counts = { errors: 0, warnings: 0 };

  add(problem: ListedProblem): void {
    const { severity, kind = 'File' } = problem;
    const counter = severity === 'error' ? 'errors' : 'warnings';
    const list = severity === 'error' ? this.#errors : this.#warnings;
    if (list.length < mostListed) list.push(problem);
    const counts = this.#kinds.get(kind) ?? { errors: 0, warnings: 0 };
    counts[counter] += 1;
    this.#kinds.set(kind, counts);
    this.#counts[counter] += 1;
  }

  /** All counts, and the first problems, errors before warnings. */
  list(): ProblemList {
    return { ...this.#counts, kinds: this.#kinds, listed: [...this.#errors, ...this.#warnings].slice(0, mostListed) };
  }
}
