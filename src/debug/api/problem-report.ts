import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../edges.ts';
import { CollectedProblems, problemsOf } from '../../explain/explain.ts';
import type { Explainer, ProblemList } from '../../explain/model.ts';
import type { InputDiagnostic } from '../../source/model.ts';

/** The sources of the report. */
export interface ProblemParts {
  readonly explainer: Pick<Explainer, 'statusFindings' | 'hints'>;
  readonly problems: () => readonly InputDiagnostic[];
  /** The number of the last commit. */
  readonly epoch: () => number;
  readonly clock: Clock;
}

/** What is wrong in the whole world, at one time. */
export interface Report extends ProblemList {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

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
  /** Monotonic time, in milliseconds. */
  readonly madeAt: number;
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

  #isFresh({ madeAt, took, epoch, problems }: MadeReport): boolean {
    const { clock, problems: current, epoch: currentEpoch } = this.#parts;
    // A source returns the same list until something changes in it.
    if (epoch === currentEpoch() && problems === current()) return true;
    return clock.monotonic() - madeAt < Math.max(maxAge, took * restFactor);
  }

  async #make(): Promise<Report> {
    const { clock } = this.#parts;
    const [epoch, problems] = [this.#parts.epoch(), this.#parts.problems()];
    const collected = new CollectedProblems();
    let took = 0;
    let began = clock.monotonic();
    for (const problem of problemsOf(problems, this.#parts.explainer)) {
      if (problem !== undefined) collected.add(problem);
      const now = clock.monotonic();
      if (now - began < turn) continue;
      took += now - began;
      await setTimeout(pause);
      began = clock.monotonic();
    }
    const report = { at: clock.now(), ...collected.list() };
    const madeAt = clock.monotonic();
    this.#last = { report, madeAt, took: took + madeAt - began, epoch, problems };
    return report;
  }
}
