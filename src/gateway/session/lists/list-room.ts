import type { MessageSize } from '../../rpc/model.ts';
import { AnswerLimitError, messageBounds, weightOf } from '../../upstream/answer-limits.ts';

const mebibyte = 1024 * 1024;

/**
 * The largest merged list, since it is read, made and sent as a whole: ten thousand tools with a KiB and 40 values each, or
 * twenty thousand with half of it.
 */
const most: MessageSize = { bytes: 10 * mebibyte, values: 400_000 };

/**
 * What is left of one that was larger. No host uses so many tools, and whoever may create a Service can have a target that
 * lists them, so that no caller waits for megabytes of some of them. 2 MiB: two thousand tools.
 */
const mostOfCrowded: MessageSize = { bytes: 2 * mebibyte, values: 50_000 };

/**
 * What the lists of targets take of it at which the caller may use nothing: they are told of, and no caller waits for
 * megabytes of them. 1 MiB: a thousand tools.
 */
const mostUnusable: MessageSize = { bytes: mebibyte, values: messageBounds.maxValues / 4 };

interface Holder {
  size: MessageSize;
  readonly isUsable: boolean;
  readonly leave: (size: MessageSize) => void;
}

/**
 * What the lists of targets take that become one merged list, counted from their first byte on. When they are too large
 * together, targets are left out, before the rest of their lists arrives and is parsed: the one whose list takes the
 * most, and so on, until the others are small. So no target can make another disappear whose list is smaller than its
 * part of that.
 */
export class ListRoom {
  readonly #holders = new Map<string, Holder>();
  readonly #leftOut = new Set<string>();
  #most: MessageSize = most;
  #all: MessageSize = none;
  #unusable: MessageSize = none;

  /** The targets that were left out. */
  get leftOut(): ReadonlySet<string> {
    return this.#leftOut;
  }

  /** That of all lists. */
  get size(): MessageSize {
    return this.#all;
  }

  /**
   * Begins with the list of a target.
   *
   * @param isUsable whether the caller may use something at the target
   * @param leave called with the size of its list when the target is left out: what was read is not needed, nor is the rest
   */
  enter(target: string, isUsable: boolean, leave: Holder['leave']): void {
    this.#holders.set(target, { size: none, isUsable, leave });
  }

  /**
   * Holds room for the list of a target, so much in all.
   *
   * @throws AnswerLimitError when the target is left out
   */
  hold(target: string, size: MessageSize): void {
    const holder = this.#holders.get(target);
    if (holder !== undefined) this.#resize(holder, size);
    while (exceeds(this.#unusable, mostUnusable)) this.#leaveOutLargest(target, ({ isUsable }) => !isUsable);
    if (exceeds(this.#all, most)) this.#most = mostOfCrowded;
    while (exceeds(this.#all, this.#most)) this.#leaveOutLargest(target, () => true);
    if (this.#leftOut.has(target)) throw new AnswerLimitError(tooLarge);
  }

  /** Gives back what the list of a target holds: it failed, and no other has to go for it. */
  leave(target: string): void {
    const holder = this.#holders.get(target);
    if (holder === undefined) return;
    this.#resize(holder, none);
    this.#holders.delete(target);
  }

  #resize(holder: Holder, size: MessageSize): void {
    const bytes = size.bytes - holder.size.bytes;
    const values = size.values - holder.size.values;
    this.#all = { bytes: this.#all.bytes + bytes, values: this.#all.values + values };
    if (!holder.isUsable) {
      this.#unusable = { bytes: this.#unusable.bytes + bytes, values: this.#unusable.values + values };
    }
    holder.size = size;
  }

  /** @param growing goes before others with lists as large, which may be complete and parsed */
  #leaveOutLargest(growing: string, isMeant: (holder: Holder) => boolean): void {
    let largest: { readonly target: string; readonly cost: number } | undefined;
    for (const [target, holder] of this.#holders) {
      if (!isMeant(holder)) continue;
      const cost = costOf(holder);
      const isLarger = largest === undefined || cost > largest.cost || (cost === largest.cost && target === growing);
      if (isLarger) largest = { target, cost };
    }
    const { target = growing } = largest ?? {};
    const holder = this.#holders.get(target);
    const size = holder?.size ?? none;
    this.leave(target);
    this.#leftOut.add(target);
    holder?.leave(size);
  }
}

const none: MessageSize = { bytes: 0, values: 0 };

function exceeds(size: MessageSize, bounds: MessageSize): boolean {
  return size.bytes > bounds.bytes || size.values > bounds.values;
}

/**
 * Returns the weight for which a merged list has to have room, of what lists are expected to weigh: those of the targets at
 * which the caller may use something, and those of the others.
 */
export function expectedRoom(usable: number, unusable: number): number {
  return Math.min(weightOf(most), usable + Math.min(weightOf(mostUnusable), unusable));
}

function costOf({ size: { bytes, values } }: Holder): number {
  return Math.max(bytes / most.bytes, values / most.values);
}

/** Why a target is left out. */
export const tooLarge = 'the lists of all targets together are too large, and its own is of the largest';
