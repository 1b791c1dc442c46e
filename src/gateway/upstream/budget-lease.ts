import type { Quota } from '../../rate/quota.ts';
import { AnswerBudgetError, uncountedBytes } from './answer-limits.ts';

/** What one message or list holds of the budget of all targets while it grows. */
export class BudgetLease {
  readonly #quota: Quota;
  readonly #target: string;
  readonly #uncounted: number;
  #held = 0;

  /**
   * @param target the one that is charged
   * @param uncounted what has no more bytes holds nothing
   */
  constructor(quota: Quota, target: string, uncounted: number = uncountedBytes) {
    this.#quota = quota;
    this.#target = target;
    this.#uncounted = uncounted;
  }

  /**
   * Holds as much as is needed for so many bytes in all.
   *
   * @throws AnswerBudgetError when the budget has no room for it, or the share of the target
   */
  grow(bytes: number): void {
    const due = bytes - this.#held;
    if (bytes <= this.#uncounted || due <= 0) return;
    if (!this.#quota.acquire(this.#target, due)) {
      throw new AnswerBudgetError();
    }
    this.#held = bytes;
  }

  /** Gives everything back. */
  release(): void {
    this.#quota.release(this.#target, this.#held);
    this.#held = 0;
  }
}
