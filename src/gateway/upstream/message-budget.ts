import { Quota } from '../../rate/quota.ts';

/** A message that has not arrived whole, and holds some of the budget. */
export interface UnfinishedMessage {
  readonly target: string;
  /** Bytes that it holds. Only the budget changes them. */
  held: number;
  /** Drops what has arrived of it and ends its reading. */
  evict(): void;
}

/**
 * Limits the bytes of the unfinished messages of all targets. Without room, the target that holds the most loses its
 * largest message, as long as it holds more than the one that needs room (max-min fairness): a message may stand still
 * until its call times out, and no number of large ones keeps the small ones of other targets from arriving.
 */
export class MessageBudget {
  readonly #quota: Quota;
  readonly #messages = new Map<string, Set<UnfinishedMessage>>();

  /** @param share the part that one target may hold, however much nobody holds */
  constructor(limit: number, share: number) {
    this.#quota = new Quota(limit, share);
  }

  /** Bytes that all messages hold. */
  get held(): number {
    return this.#quota.total;
  }

  /** Has a message hold so many bytes in all. Returns false, and changes nothing of it, when there is no room. */
  grow(message: UnfinishedMessage, bytes: number): boolean {
    const { target } = message;
    const due = bytes - message.held;
    if (due <= 0) return true;
    while (!this.#quota.acquire(target, due)) {
      if (this.#quota.exceedsShare(target, due) || !this.#makeRoom(target, due)) return false;
    }
    message.held = bytes;
    const messages = this.#messages.get(target) ?? new Set();
    this.#messages.set(target, messages.add(message));
    return true;
  }

  /** Gives back all that a message holds. */
  release(message: UnfinishedMessage): void {
    const { target, held } = message;
    if (held === 0) return;
    message.held = 0;
    this.#quota.release(target, held);
    const messages = this.#messages.get(target);
    messages?.delete(message);
    if (messages?.size === 0) this.#messages.delete(target);
  }

  #makeRoom(asking: string, due: number): boolean {
    let most = this.#quota.held(asking) + due;
    let found: Iterable<UnfinishedMessage> = [];
    for (const [target, messages] of this.#messages) {
      const held = this.#quota.held(target);
      if (target === asking || held <= most) continue;
      most = held;
      found = messages;
    }
    let largest: UnfinishedMessage | undefined;
    for (const message of found) if (message.held > (largest?.held ?? 0)) largest = message;
    if (largest === undefined) return false;
    this.release(largest);
    largest.evict();
    return true;
  }
}
