import type { Clock, Stop } from '../edges.ts';

/** What may end one request before its answer is complete: its caller, or a time limit. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #passOn = (): void => this.#controller.abort(this.#caller?.reason);
  #stopTimer: Stop = () => {};

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller;
    if (caller?.aborted === true) this.#passOn();
    else caller?.addEventListener('abort', this.#passOn, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the request with this error after so many milliseconds, unless the limit is lifted before. */
  limit(clock: Clock, milliseconds: number, error: Error): void {
    this.#stopTimer = clock.after(milliseconds, () => this.#controller.abort(error));
  }

  lift(): void {
    this.#stopTimer();
  }

  /** To be called when nothing is left to end: a caller's signal may live much longer than its requests. */
  release(): void {
    this.#stopTimer();
    this.#caller?.removeEventListener('abort', this.#passOn);
  }

  /** The value, or the reason for the end if that comes first; to be asked before the end only. */
  async race<T>(value: Promise<T>): Promise<T> {
    const { signal } = this;
    const { promise, reject } = Promise.withResolvers<never>();
    const end = (): void => reject(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([value, promise]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}
