import { FairTurns } from '../../rate/fair-turns.ts';
import { Quota } from '../../rate/quota.ts';

/** Requests that are being answered or wait for their turn; three quarters of them of one address. */
const maxOpen = 64;

/**
 * Begins the answers of a listener for a few one by one, each in an iteration of the event loop of its own and addresses
 * in turn: requests delay other work by one answer only, and those of one address another's by one of them. A turn is as
 * long as an iteration, in which hundreds of connections may be refused; so probes of health, which cost less than a
 * refusal, have no turn.
 */
export class RequestTurns {
  readonly #turns = new FairTurns();
  readonly #open = new Quota(maxOpen);

  /**
   * Runs a task in a turn of an address. Returns `undefined` when too many are open: refuse the request and close its
   * connection, so that the limit of new ones bounds what is refused.
   */
  run<T>(address: string, task: () => T | Promise<T>): Promise<T> | undefined {
    if (!this.#open.acquire(address)) return undefined;
    return this.#turns
      .next(address)
      .then(task)
      .finally(() => this.#open.release(address));
  }
}
