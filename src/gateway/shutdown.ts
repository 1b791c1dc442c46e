import type { Server, ServerResponse } from 'node:http';
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

/**
 * Follows the answers of a server; the result settles when none is on its way. What keeps connections open after that is
 * only the wish to use them again.
 */
export function followAnswers(server: Server): () => Promise<void> {
  const open = new Set<ServerResponse>();
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  let awaited = false;
  const settle = (): void => {
    if (awaited && open.size === 0) resolve();
  };
  server.on('request', (_, response) => {
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      settle();
    });
  });
  return () => {
    awaited = true;
    settle();
    return drained;
  };
}
