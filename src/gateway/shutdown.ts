import type { Clock, StopAsync } from '../edges.ts';

/** Clean-up steps of a program that has started several things. */
export interface Shutdown {
  /** Adds a step. Steps run in reverse order, one after the other. */
  add(step: () => unknown): void;
  /**
   * Runs all steps, once. A step that fails, or that takes longer than the grace time allows, does not stop the others.
   */
  readonly run: StopAsync;
  /** Returns whether {@link run} was called. */
  begun(): boolean;
}

/** @param grace milliseconds for all steps together; after that, steps are started but not awaited */
export function createShutdown(clock: Clock, grace: number): Shutdown {
  const steps: (() => unknown)[] = [];
  let running: Promise<void> | undefined;
  const runAll = async (): Promise<void> => {
    const { promise: timedOut, resolve } = Promise.withResolvers<void>();
    const stopTimer = clock.after(grace, resolve);
    for (const step of steps.toReversed()) {
      await Promise.race([Promise.resolve().then(step), timedOut]).catch(() => {});
    }
    stopTimer();
  };
  return {
    begun: () => running !== undefined,
    add: (step) => void steps.push(step),
    run() {
      running ??= runAll();
      return running;
    },
  };
}
