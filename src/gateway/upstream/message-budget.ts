import { Quota } from '../../rate/quota.ts';
import { namespaceOf } from './health/newcomers.ts';

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
 * until its call times out, and no number of large ones keeps the small ones of other targets from arriving. Namespaces
 * come before targets: whoever may create one Service may create hundreds, each of which holds little.
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
    const own = namespaceOf(asking);
    const namespaces = new Map<string, number>();
    for (const target of this.#messages.keys()) {
      const namespace = namespaceOf(target);
      namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + this.#quota.held(target));
    }
    const other = largestOf(namespaces, (namespace) => namespace !== own, (namespaces.get(own) ?? 0) + due);
    const targets = new Map([...this.#messages.keys()].map((target) => [target, this.#quota.held(target)]));
    const loser =
      other === undefined
        ? largestOf(
            targets,
            (target) => target !== asking && namespaceOf(target) === own,
            this.#quota.held(asking) + due,
          )
        : largestOf(targets, (target) => namespaceOf(target) === other, 0);
    let largest: UnfinishedMessage | undefined;
    for (const message of this.#messages.get(loser ?? '') ?? []) {
      if (message.held > (largest?.held ?? 0)) largest = message;
    }
    if (largest === undefined) return false;
    this.release(largest);
    largest.evict();
    return true;
  }
}

/** Returns the key with the most of those that are meant and have more than `least`. */
function largestOf(
  held: ReadonlyMap<string, number>,
  isMeant: (key: string) => boolean,
  least: number,
): string | undefined {
  let most = least;
  let found: string | undefined;
  for (const [key, bytes] of held) {
    if (bytes <= most || !isMeant(key)) continue;
    most = bytes;
    found = key;
  }
  return found;
}
