import type { Clock, Stop } from '../edges.ts';

/** The error of a time limit that was exceeded. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError';

  /**
   * @param limit milliseconds
   * @param setting the flag that sets it, where there is one
   */
  constructor(limit: number, setting?: string) {
    super(`no answer within ${limit / 1_000} s${setting === undefined ? '' : ` (${setting})`}`);
  }
}

/**
 * An AbortSignal that is aborted by its parent or by a timer, whichever is first. The timer may be set, set anew (an
 * idle timeout) and cleared. Call {@link release} in the end: a parent may live much longer.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #parent: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason);
  #stopTimer: Stop = noTimer;

  constructor(clock: Clock, parent?: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    if (parent?.aborted === true) this.#follow();
    else parent?.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Starts the timer, or starts it anew.
   *
   * @param limit milliseconds
   * @param reason what the signal is aborted with; by default a {@link DeadlineExceededError}, which is made when it is
   * needed: its stack trace would take longer than the timer
   */
  set(limit: number, reason?: Error): void {
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(limit, () =>
      this.#controller.abort(reason ?? new DeadlineExceededError(limit)),
    );
  }

  /** Stops the timer; the parent still counts. */
  clear(): void {
    this.#stopTimer();
  }

  /** Aborts the signal now, as for a request whose response is not needed any more. */
  abort(reason?: Error): void {
    this.#controller.abort(reason);
  }

  /** Stops the timer and no longer follows the parent. */
  release(): void {
    this.#stopTimer();
    this.#parent?.removeEventListener('abort', this.#follow);
  }
}

const noTimer = (): void => {};

/** A time limit, and a signal that ends the work before. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `run` with a signal that is aborted when the time is over or the outer signal is aborted. Settles no later than
 * that, whether or not `run` obeys its signal; rejects with the signal's reason then.
 */
export async function within<T>(limit: TimeLimit, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new Deadline(limit.clock, limit.signal);
  deadline.set(limit.milliseconds);
  try {
    return await untilAborted(deadline.signal, run(deadline.signal));
  } finally {
    deadline.release();
  }
}

/** Settles as `promise` does, or rejects with the signal's reason if that is first. */
export async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
