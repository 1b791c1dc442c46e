import type { Server } from 'node:http';
import type { Clock, StopAsync } from '../edges.ts';

/** Steps that undo what was started. */
export interface Shutdown {
  /** Adds a step; the one added last is done first. */
  add(step: () => unknown): void;
  /** Does all steps, once; a step that fails or takes too long holds up nothing. */
  readonly run: StopAsync;
}

/** @param grace milliseconds that all steps together may take */
export function createShutdown(clock: Clock, grace: number): Shutdown {
  const steps: (() => unknown)[] = [];
  let running: Promise<void> | undefined;
  const all = async (): Promise<void> => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const stopTimer = clock.after(grace, resolve);
    for (const step of steps.toReversed()) {
      await Promise.race([Promise.resolve().then(step), over]).catch(() => {});
    }
    stopTimer();
  };
  return {
    add: (step) => void steps.push(step),
    run() {
      running ??= all();
      return running;
    },
  };
}

/** Settles when the server's last connection is gone. Listening ended when this was called. */
export function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
