import type { Clock } from '../../edges.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import { Quota } from '../../rate/quota.ts';
import type { Pause } from '../../rate/turns.ts';

/** Requests that are being answered or wait for their turn; three quarters of them of one address. */
const maxOpen = 64;

/** Milliseconds of a turn after which the next one waits for as long: answers take half of the time at most. */
const longTurn = 2;

/**
 * Makes the answers of a listener for a few one by one, each in an iteration of the event loop of its own and addresses
 * in turn: requests delay other work by one turn only, and those of one address another's by one of them. A turn is as
 * long as an iteration, in which hundreds of connections may be refused; so probes of health, which cost less than a
 * refusal, have no turn.
 */
export class RequestTurns {
  readonly #turns: FairTurns;
  readonly #open = new Quota(maxOpen);

  constructor(clock: Clock) {
    this.#turns = new FairTurns(clock, longTurn);
  }

  /**
   * Runs a task in a turn of an address. Returns `undefined` when too many are open: refuse the request.
   *
   * @param task gets what a long one waits for between its parts: another turn of the address
   */
  run<T>(address: string, task: (pause: Pause) => T | Promise<T>): Promise<T> | undefined {
    if (!this.#open.acquire(address)) return undefined;
    const pause = (): Promise<void> => this.#turns.next(address);
    return pause()
      .then(() => task(pause))
      .finally(() => this.#open.release(address));
  }
}
