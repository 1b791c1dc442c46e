import { type AnswerBudget, AnswerBudgetError, uncountedBytes } from './answer-limits.ts';

/** The budget of all targets, and the name of the one that is charged. */
export interface BudgetShare {
  readonly budget: AnswerBudget;
  readonly target: string;
}

/** What one message or list holds of the budget of all targets while it grows. */
export class BudgetLease {
  readonly #share: BudgetShare;
  #held = 0;

  constructor(share: BudgetShare) {
    this.#share = share;
  }

  /**
   * Holds as much as is needed for so many bytes in all.
   *
   * @throws AnswerBudgetError when the budget has no room for it, or the share of the target
   */
  grow(bytes: number): void {
    const { budget, target } = this.#share;
    const due = bytes - this.#held;
    if (bytes <= uncountedBytes || due <= 0) return;
    if (!budget.bytes.acquire(target, due)) {
      throw new AnswerBudgetError();
    }
    this.#held = bytes;
  }

  /** Gives everything back. */
  release(): void {
    const { budget, target } = this.#share;
    budget.bytes.release(target, this.#held);
    this.#held = 0;
  }
}
