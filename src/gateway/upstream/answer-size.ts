import type { MessageSize, Result } from '../rpc/model.ts';

const sizes = new WeakMap<Result, MessageSize>();

/** Remembers the size of a result for as long as the result itself is kept. */
export function noteAnswerSize(result: Result, size: MessageSize): void {
  sizes.set(result, size);
}

/** Returns the size of the message that a result arrived in. */
export function answerSizeOf(result: Result): MessageSize {
  return sizes.get(result) ?? { bytes: 0, values: 0 };
}
