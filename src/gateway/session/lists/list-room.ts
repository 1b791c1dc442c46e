import type { Stop } from '../../../edges.ts';
import type { MessageSize } from '../../rpc/model.ts';
import { AnswerLimitError, maxListBytes, messageBounds } from '../../upstream/answer-limits.ts';

/**
 * The largest merged list: two of the largest lists of a target, since it is serialized at once. 20,000 tools with 800
 * bytes and 20 values each.
 */
const most: MessageSize = { bytes: 2 * maxListBytes, values: 2 * messageBounds.maxValues };

interface Holder {
  size: MessageSize;
  readonly leave: Stop;
}

/**
 * What the lists of targets take that become one merged list, counted from their first byte on. When they are too large
 * together, targets are left out, before the rest of their lists arrives and is parsed: the one whose list takes the
 * most, and so on. So no target can make another disappear whose list is smaller than its part of the room.
 */
export class ListRoom {
  readonly #holders = new Map<string, Holder>();
  readonly #leftOut = new Set<string>();
  #bytes = 0;
  #values = 0;

  /** The targets that were left out. */
  get leftOut(): ReadonlySet<string> {
    return this.#leftOut;
  }

  /** Bytes of all lists. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Begins with the list of a target.
   *
   * @param leave called when the target is left out: what was read is not needed, nor is the rest
   */
  enter(target: string, leave: Stop): void {
    this.#holders.set(target, { size: { bytes: 0, values: 0 }, leave });
  }

  /**
   * Holds room for the list of a target, so much in all.
   *
   * @throws AnswerLimitError when the target is left out
   */
  hold(target: string, size: MessageSize): void {
    const holder = this.#holders.get(target);
    if (holder !== undefined) this.#resize(holder, size);
    while (this.#bytes > most.bytes || this.#values > most.values) this.#leaveOutLargest(target);
    if (this.#leftOut.has(target)) throw new AnswerLimitError(tooLarge);
  }

  /** Gives back what the list of a target holds: it failed, and no other has to go for it. */
  leave(target: string): void {
    const holder = this.#holders.get(target);
    if (holder === undefined) return;
    this.#resize(holder, { bytes: 0, values: 0 });
    this.#holders.delete(target);
  }

  #resize(holder: Holder, size: MessageSize): void {
    this.#bytes += size.bytes - holder.size.bytes;
    this.#values += size.values - holder.size.values;
    holder.size = size;
  }

  /** @param growing goes before others with lists as large, which may be complete and parsed */
  #leaveOutLargest(growing: string): void {
    let largest = growing;
    for (const target of this.#holders.keys()) if (this.#cost(target) > this.#cost(largest)) largest = target;
    const holder = this.#holders.get(largest);
    this.leave(largest);
    this.#leftOut.add(largest);
    holder?.leave();
  }

  #cost(target: string): number {
    const { bytes = 0, values = 0 } = this.#holders.get(target)?.size ?? {};
    return Math.max(bytes / most.bytes, values / most.values);
  }
}

/** Why a target is left out. */
export const tooLarge = 'the lists of all targets together are too large, and its own is of the largest';
