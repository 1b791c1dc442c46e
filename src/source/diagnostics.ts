import type { Counters, Logger } from '../edges.ts';
import { type Finding, placeText } from './finding.ts';
import type { InputProblem } from './model.ts';

/** A finding, and the file (or the root) that it is about. */
export interface Placed {
  readonly path: string;
  readonly finding: Finding;
}

/** Everything that is wrong right now. Each problem is logged once when it appears and once when it is gone. */
export class ProblemBook {
  readonly #log: Logger;
  readonly #counters: Counters;
  readonly #current = new Map<string, readonly Placed[]>();
  /** What the owners whose problems were replaced had when that was last logged. */
  readonly #logged = new Map<string, readonly Placed[]>();
  #errors = 0;

  constructor(log: Logger, counters: Counters) {
    this.#log = log;
    this.#counters = counters;
  }

  /** From now on the owner (a file, a root, an object in several copies) has just these. */
  replace(owner: string, problems: readonly Placed[]): void {
    const before = this.#current.get(owner) ?? [];
    if (before.length === 0 && problems.length === 0) return;
    if (!this.#logged.has(owner)) this.#logged.set(owner, before);
    this.#errors += errorsIn(problems) - errorsIn(before);
    if (problems.length > 0) this.#current.set(owner, problems);
    else this.#current.delete(owner);
  }

  /** Logs what is different since the last call. A problem that only moved to another line is the same one. */
  settle(): void {
    for (const [owner, before] of this.#logged) {
      const now = this.#current.get(owner) ?? [];
      for (const placed of without(now, before)) this.#appeared(placed);
      for (const placed of without(before, now)) this.#gone(placed);
    }
    this.#logged.clear();
    this.#counters.gauge('gatehouse_input_errors', this.#errors);
  }

  /** By file, line and column, then by what is said: what came first decides nothing. The same lines reached in two ways are told once. */
  list(): readonly InputProblem[] {
    const told = new Map<string, InputProblem>();
    for (const placed of [...this.#current.values()].flat().sort(comparePlaced)) {
      const problem = inputProblem(placed);
      told.set(JSON.stringify(problem), problem);
    }
    return [...told.values()];
  }

  #appeared(placed: Placed): void {
    const { severity, message, place, object, field } = inputProblem(placed);
    this.#counters.count('gatehouse_source_problems_total', { severity });
    if (severity === 'error') this.#log.error(message, { place, object, field });
    else this.#log.warn(message, { place, object, field });
  }

  #gone(placed: Placed): void {
    const { message, place, object, field } = inputProblem(placed);
    this.#log.info('a problem is gone', { place, object, field, problem: message });
  }
}

function inputProblem({ path, finding }: Placed): InputProblem {
  const { position, ...rest } = finding;
  return { ...rest, place: placeText(path, position) };
}

function errorsIn(problems: readonly Placed[]): number {
  return problems.filter(({ finding }) => finding.severity === 'error').length;
}

/** Those of the first that are not among the others, wherever in the file they stand. */
function without(problems: readonly Placed[], others: readonly Placed[]): readonly Placed[] {
  const known = new Set(others.map(signature));
  return problems.filter((placed) => !known.has(signature(placed)));
}

function signature({ path, finding: { severity, object, field, message } }: Placed): string {
  return JSON.stringify([path, severity, object, field, message]);
}

function comparePlaced(a: Placed, b: Placed): number {
  const from = a.finding.position;
  const to = b.finding.position;
  return (
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)) ||
    (from?.line ?? 0) - (to?.line ?? 0) ||
    (from?.column ?? 0) - (to?.column ?? 0) ||
    compareTexts(signature(a), signature(b))
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
