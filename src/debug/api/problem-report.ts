import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../edges.ts';
import type { Explainer, Finding, Place } from '../../explain/model.ts';
import { pathText } from '../../resources/resources.ts';
import type { InputDiagnostic } from '../../source/model.ts';

/** The sources of the report. */
export interface ProblemParts {
  readonly explainer: Pick<Explainer, 'statusFindings' | 'hints'>;
  readonly problems: () => readonly InputDiagnostic[];
  /** The number of the last commit. */
  readonly epoch: () => number;
  readonly clock: Clock;
}

/** Something to correct. `input`: decoding found it. `status`: a condition says it. `hint`: probably not meant. */
export interface ListedProblem {
  readonly severity: 'error' | 'warning';
  readonly from: 'input' | 'status' | 'hint';
  /** The kind of the object, or undefined for a file as a whole. */
  readonly kind: string | undefined;
  /** `<namespace>/<name>` of the object. */
  readonly key: string | undefined;
  readonly field: string;
  /** Where it is written: a place in a file, or the API path of the object; undefined until it is looked up. */
  readonly place: string | undefined;
  readonly message: string;
  /** The field of a finding, to look up its place. */
  readonly at: Place | undefined;
}

/** What is wrong in the whole world, at one time. */
export interface Report {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly errors: number;
  readonly warnings: number;
  /** By kind of object, `File` for a file as a whole. */
  readonly kinds: ReadonlyMap<string, { readonly errors: number; readonly warnings: number }>;
  /** The first problems, errors before warnings. */
  readonly listed: readonly ListedProblem[];
}

/** Problems that are listed; all are counted. */
export const mostListed = 1_000;

/** Milliseconds that a report takes of one turn of the event loop, and the pause after it. */
const turn = 5;
const pause = 10;

/**
 * After a change, a report is made again when it is older than this, in milliseconds, and than ten times what it took.
 */
const maxAge = 1_000;
const restFactor = 10;

/** A report, what it was made from, and what it took in milliseconds. */
interface MadeReport {
  readonly report: Report;
  readonly took: number;
  readonly epoch: number;
  readonly problems: readonly InputDiagnostic[];
}

/**
 * Reports what is wrong in the whole world. A report reads every object, so that it is made only when somebody asks, in
 * short turns, once for all who ask meanwhile, and seldom when it takes long.
 */
export class ProblemReport {
  readonly #parts: ProblemParts;
  #last: MadeReport | undefined;
  #running: Promise<Report> | undefined;

  constructor(parts: ProblemParts) {
    this.#parts = parts;
  }

  /** The last report; undefined before the first. */
  get last(): Report | undefined {
    return this.#last?.report;
  }

  /** A report that is about as old as it takes to make one. */
  get(): Promise<Report> {
    if (this.#last !== undefined && this.#isFresh(this.#last)) return Promise.resolve(this.#last.report);
    this.#running ??= this.#make().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #isFresh({ report, took, epoch, problems }: MadeReport): boolean {
    const { clock, problems: current, epoch: currentEpoch } = this.#parts;
    // A source returns the same list until something changes in it.
    if (epoch === currentEpoch() && problems === current()) return true;
    const age = clock.now() - report.at;
    return age >= 0 && age < Math.max(maxAge, took * restFactor);
  }

  async #make(): Promise<Report> {
    const { clock } = this.#parts;
    const [epoch, problems] = [this.#parts.epoch(), this.#parts.problems()];
    const collected = new Collected();
    let took = 0;
    let began = clock.now();
    for (const problem of this.#all(problems)) {
      if (problem !== undefined) collected.add(problem);
      const now = clock.now();
      if (now - began < turn) continue;
      took += now - began;
      await setTimeout(pause);
      began = clock.now();
    }
    const report = collected.report(clock.now());
    this.#last = { report, took: took + clock.now() - began, epoch, problems };
    return report;
  }

  /** Yields undefined after each step without a problem. */
  *#all(problems: readonly InputDiagnostic[]): Generator<ListedProblem | undefined> {
    const { explainer } = this.#parts;
    const said = new Map<string, Set<string>>();
    for (const { severity, object, field, place, message } of problems) {
      const [kind, key] = object?.split(' ', 2) ?? [];
      if (object !== undefined) said.set(object, (said.get(object) ?? new Set<string>()).add(message));
      yield { severity, from: 'input', kind, key, field, place, message, at: undefined };
    }
    for (const finding of explainer.statusFindings()) yield isSaid(finding, said) ? undefined : listed(finding);
    for (const finding of explainer.hints()) yield finding && listed(finding);
  }
}

/** Returns whether decoding the object said the same: a sentence of a condition repeats those of its parts. */
function isSaid({ at, message }: Finding, said: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const messages = said.get(`${at.kind} ${at.key}`);
  return messages !== undefined && [...messages].some((one) => message.includes(one));
}

function listed({ severity, from, at, message }: Finding): ListedProblem {
  return { severity, from, kind: at.kind, key: at.key, field: pathText(at.path), place: undefined, message, at };
}

/** Counts every problem, and keeps the first ones of each severity. */
class Collected {
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

  report(at: number): Report {
    const shown = [...this.#errors, ...this.#warnings].slice(0, mostListed);
    return { at, ...this.#counts, kinds: this.#kinds, listed: shown };
  }
}
