import type { Clock, Stop } from '../../../edges.ts';
import { FairSemaphore } from '../../../rate/fair-semaphore.ts';
import { FairTurns } from '../../../rate/fair-turns.ts';
import { maxListsBytes, targetShare } from '../../upstream/answer-limits.ts';

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
   * Resolves when the caller's next list may begin, with the function to call when it is answered. Those that are expected
   * to be large wait for others to be answered, so that the budget has room for them. Call the function earlier when
   * targets keep the list waiting: others would wait for them, too, and what has arrived is counted by the budget itself.
   */
  toBegin(caller: string, expectedWeight: number, signal: AbortSignal): Promise<Stop>;
  /**
   * Resolves when the caller may make the next part of a list: one in each iteration of the event loop, since all who
   * wait for one answer of a target would otherwise have theirs made in the same one.
   */
  toMake(caller: string): Promise<void>;
}

/**
 * Requests for lists at targets at the same time. Each has a connection, with up to 64 KiB of its answer that is not read
 * yet; and a list that begins waits for all that were sent before. A list that is read over shared connections takes a
 * sixteenth of that, since its request is that of others, too.
 */
const maxReads = 512;
const sharedReads = 16;

/** What one target may take of the budget is enough for all lists that have begun, also when it lists everything. */
const roomOfAll = maxListsBytes * targetShare;

/**
 * Lists that are expected to be small have a room of their own, so that none waits for large ones of others, which may be
 * several times the room. 2 MiB: two thousand tools.
 */
const smallWeight = 2 * 1024 * 1024;
const roomOfSmall = roomOfAll / 3;

/** Starts with no list under way. */
export function createListTurns(clock: Clock): ListTurns {
  const reads = new FairSemaphore(maxReads * sharedReads);
  const parts = new FairTurns(clock);
  const large = new FairSemaphore(roomOfAll - roomOfSmall);
  const small = new FairSemaphore(roomOfSmall);
  return {
    async toBegin(caller, expectedWeight, signal) {
      // What takes nothing of the budget waits for no room in it.
      if (expectedWeight === 0) return () => {};
      return (expectedWeight > smallWeight ? large : small).acquire(caller, expectedWeight, signal);
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
