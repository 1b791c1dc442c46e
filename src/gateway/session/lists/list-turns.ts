import type { Clock, Stop } from '../../../edges.ts';
import { FairSemaphore } from '../../../rate/fair-semaphore.ts';
import { FairTurns } from '../../../rate/fair-turns.ts';
import { maxListsBytes, targetShare } from '../../upstream/answer-limits.ts';
import type { ListMethod } from './list-pages.ts';

/**
 * The turns of callers in which lists are read and merged: somebody who asks for thousands of lists at once waits for
 * their own, and somebody who asks seldom for no round of those who ask always. A request that has ended waits for none.
 */
export interface ListTurns {
  /**
   * Resolves when the caller's next list may be read from its targets, with the function to call when that is done.
   *
   * @param targets how many are asked in the session of the client, and how many over shared connections
   */
  toRead(
    caller: string,
    targets: { readonly own: number; readonly shared: number },
    signal: AbortSignal,
  ): Promise<Stop>;
  /**
   * Resolves when the caller's next list may begin, with the function to call when it is answered. Lists that were
   * large wait for others to be answered, so that the budget has room for them.
   */
  toBegin(caller: string, method: ListMethod, signal: AbortSignal): Promise<Held>;
  /**
   * Resolves when the caller may make the next part of a list: one in each iteration of the event loop, since all who
   * wait for one answer of a target would otherwise have theirs made in the same one.
   */
  toMake(caller: string): Promise<void>;
}

/** What a list holds from its beginning until it is answered. */
interface Held extends Disposable {
  /**
   * Tells how large it has become. The next list of the method is expected to be as large, or half as large as it was
   * expected before: those of other callers may be larger.
   */
  read(weight: number): void;
}

/**
 * Requests for lists at targets at the same time. Each has a connection, with up to 64 KiB of its answer that is not read
 * yet; and a list that begins waits for all that were sent before. A list that is read over shared connections takes a
 * sixteenth of that, since its request is that of others, too.
 */
const maxReads = 512;
const sharedReads = 16;

/**
 * The weight that a list is expected to have before one of its method was read: when a gateway has restarted, all its clients
 * ask for their lists at once. 48 of them begin then.
 */
const expectedAtFirst = 512 * 1024;

/** Starts with no list under way. */
export function createListTurns(clock: Clock): ListTurns {
  const reads = new FairSemaphore(maxReads * sharedReads);
  const parts = new FairTurns(clock);
  // What one target may take is enough for all of them then, also when it lists everything.
  const begun = new FairSemaphore(maxListsBytes * targetShare);
  const expected = new Map<ListMethod, number>();
  return {
    async toBegin(caller, method, signal) {
      const release = await begun.acquire(caller, expected.get(method) ?? expectedAtFirst, signal);
      return {
        read: (weight) => void expected.set(method, Math.max(weight, (expected.get(method) ?? 0) / 2)),
        [Symbol.dispose]: release,
      };
    },
    toRead: (caller, { own, shared }, signal) => reads.acquire(caller, own * sharedReads + shared, signal),
    toMake: (caller) => parts.next(caller),
  };
}

/**
 * What one turn of a list is for: so many entries, of which one with a long text counts for several. It takes a few
 * milliseconds.
 */
const entriesPerTurn = 2_000;
const charactersPerEntry = 256;

/** What is made of the entries of one list, one after another, in turns of its caller. */
export class ListWork {
  readonly #turn: () => Promise<void>;
  readonly #signal: AbortSignal;
  #left = 0;

  /** @param signal ends the work: what is made is for nobody then */
  constructor(turn: () => Promise<void>, signal: AbortSignal) {
    this.#turn = turn;
    this.#signal = signal;
  }

  /**
   * Calls the function with each entry, until the work ends. The first one takes a turn, and what is small shares one
   * with what follows.
   *
   * @param use returns the characters that it has read or written
   */
  async forEach<E>(entries: readonly E[], use: (entry: E, index: number) => number): Promise<void> {
    for (const [index, entry] of entries.entries()) {
      if (this.#left <= 0) {
        await this.#turn();
        this.#left = entriesPerTurn;
      }
      if (this.#signal.aborted) return;
      this.#left -= 1 + use(entry, index) / charactersPerEntry;
    }
  }
}
