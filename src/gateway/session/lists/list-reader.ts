import type { Clock, Stop } from '../../../edges.ts';
import { Deadline, untilAborted } from '../../../net/deadline.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { MessageSize, Params } from '../../rpc/model.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import { AnswerLimitError, uncountedListBytes, weightOf } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import type { TargetCircuit } from '../../upstream/health/target-circuit.ts';
import type { TargetFailures } from '../../upstream/health/target-failures.ts';
import type { TargetHealth } from '../../upstream/health/target-health.ts';
import { slowListTime } from '../../upstream/health/target-states.ts';
import type { Authorization } from '../decisions/authorization.ts';
import type { UpstreamSessions } from '../upstream-sessions.ts';
import {
  emptyListing,
  type Listing,
  type ListMethod,
  type ListQuery,
  listTimeout,
  pagedLists,
  readPages,
} from './list-pages.ts';
import { expectedRoom, ListRoom, tooLarge } from './list-room.ts';
import type { SharedListing } from './shared-listing.ts';

/**
 * The targets at which the caller may use something, whose lists are asked for in the session of the client: what its
 * calls have changed there is visible to it. Lists of other targets need no session.
 */
type Reachable = ReturnType<Authorization['reachable']>;

/** A list that a client asks for. */
export interface ListRequest extends ListQuery {
  readonly reachable: Reachable;
  /** Those whose lists have the whole room; the lists of others are given to the client as far as they are small. */
  readonly usable: Reachable;
  /** Whose turn it takes; see {@link ListTurns}. */
  readonly caller: Caller;
}

/** What one target lists. */
export interface TargetList {
  readonly target: string;
  readonly listing: Listing;
}

/** The lists of targets while they are read, and until they are not needed. */
interface ListReading {
  /** The lists in the order of the targets, without those that are left out. */
  readonly done: Promise<readonly TargetList[]>;
  /** Gives back what they hold of the budget of all targets, and lets others begin. */
  readonly release: Stop;
}

/** Dependencies of a reader of lists. */
export interface ListReaderParts {
  readonly clock: Clock;
  readonly upstreams: UpstreamSessions;
  readonly shared: SharedListing;
  readonly health: TargetHealth<ListMethod>;
  readonly circuit: Pick<TargetCircuit, 'isLeftOut'>;
  readonly failures: TargetFailures;
}

/**
 * Creates the function that asks targets for their lists, all at the same time. It leaves out those that fail, that did
 * not respond within {@link listTimeout} before, that cannot be reached, or whose lists are too large for one merged
 * list, now or shortly before. Of those that were slow before, it takes what they listed to the gateway itself.
 *
 * @param listed called with each target that has listed now
 */
export function createListReader(
  parts: ListReaderParts,
  listed: (target: string, method: ListMethod) => void,
): (method: ListMethod, request: ListRequest, targets: readonly string[]) => ListReading {
  return (method, request, targets) => {
    const reading = new TargetLists({ ...parts, listed }, method, request);
    return { done: reading.readAll(targets), release: () => reading.release() };
  };
}

/** Targets that are asked in one turn of the caller: a request takes 0.1 ms. */
const targetsPerTurn = 32;

/** The lists of targets that one merged list is made of. */
class TargetLists {
  readonly #parts: ListReaderParts & { readonly listed: (target: string, method: ListMethod) => void };
  readonly #method: ListMethod;
  readonly #request: ListRequest;
  readonly #room = new ListRoom();
  /** By target, as far as they are complete. */
  readonly #lists = new Map<string, Listing>();
  /** By target, of those that are read in the session of the client. */
  readonly #leases = new Map<string, BudgetLease>();
  #end: Stop = () => {};

  constructor(
    parts: ListReaderParts & { readonly listed: (target: string, method: ListMethod) => void },
    method: ListMethod,
    request: ListRequest,
  ) {
    this.#parts = parts;
    this.#method = method;
    this.#request = request;
  }

  /** Returns the lists in the order of the targets. */
  async readAll(targets: readonly string[]): ListReading['done'] {
    const { clock, shared, failures } = this.#parts;
    const { signal } = this.#request;
    const caller = callerKey(this.#request.caller);
    this.#end = await shared.turns.toBegin(caller, this.#expectedWeight(targets), signal);
    const own = targets.filter((target) => this.#isReachable(target)).length;
    const release = await shared.turns.toRead(caller, { own, shared: targets.length - own }, signal);
    const stopTimer = clock.after(slowListTime, this.#end);
    const readings: Promise<void>[] = [];
    for (const [index, target] of targets.entries()) {
      if (index % targetsPerTurn === 0) await shared.turns.toMake(caller);
      readings.push(this.#readTarget(target));
    }
    await Promise.all(readings).finally(release);
    stopTimer();
    const { leftOut } = this.#room;
    shared.crowdedOut.leftOut(caller, this.#method, leftOut);
    if (leftOut.size > 0) failures.leftOut([...leftOut], this.#method, tooLarge);
    return targets.flatMap((target) => {
      const listing = this.#lists.get(target);
      return listing === undefined ? [] : [{ target, listing }];
    });
  }

  release(): void {
    for (const lease of this.#leases.values()) lease.release();
    this.#end();
  }

  /** Returns the weight that the list is expected to have, by what its targets listed last. */
  #expectedWeight(targets: readonly string[]): number {
    const { shared } = this.#parts;
    const { caller, usable } = this.#request;
    const asked = targets.filter((target) => !shared.crowdedOut.has(callerKey(caller), this.#method, target));
    const weightOfAll = (isUsable: boolean): number => {
      const meant = asked.filter((target) => has(usable, target) === isUsable);
      return shared.weights.expected(this.#method, meant);
    };
    return expectedRoom(weightOfAll(true), weightOfAll(false));
  }

  /** Remembers how large a list was, or was when it was ended. What is kept of a removed target would be forgotten by nobody. */
  #note(target: string, size: MessageSize): void {
    const { upstreams, shared } = this.#parts;
    if (upstreams.isTarget(target)) shared.weights.listed(this.#method, target, weightOf(size));
  }

  /** Adds the list of a target, unless the merged list has to do without it. */
  async #readTarget(target: string): Promise<void> {
    const { clock, upstreams, shared, health, circuit, listed } = this.#parts;
    const { signal, caller, usable } = this.#request;
    const method = this.#method;
    if (signal.aborted) return void this.#lists.set(target, emptyListing);
    if (circuit.isLeftOut(target) || shared.crowdedOut.has(callerKey(caller), method, target)) return;
    const isLeftOut = health.isLeftOut(target, method);
    const standIn = isLeftOut ? shared.standIn(target, method) : undefined;
    if (isLeftOut && standIn === undefined) return;
    const began = clock.monotonic();
    const deadline = new Deadline(clock, signal);
    this.#room.enter(target, has(usable, target), (size) => {
      this.#note(target, size);
      this.#giveBack(target);
      deadline.abort(new AnswerLimitError(tooLarge));
    });
    try {
      const found = standIn ?? (await this.#readOne(target, deadline));
      if (standIn !== undefined) this.#room.hold(target, standIn.size);
      if (this.#room.leftOut.has(target)) return;
      this.#lists.set(target, found);
      this.#note(target, found.size);
      if (standIn !== undefined) return;
      listed(target, method);
      health.listed(target, method, clock.monotonic() - began);
    } catch (error) {
      if (this.#room.leftOut.has(target)) return;
      this.#giveBack(target);
      if (!signal.aborted) {
        this.#note(target, emptyListing.size);
        health.waitedInVain(target, clock.monotonic() - began);
      }
      if (signal.aborted || !upstreams.isTarget(target)) this.#lists.set(target, emptyListing);
      else health.failed(target, method, error);
    } finally {
      deadline.release();
    }
  }

  async #readOne(target: string, deadline: Deadline): Promise<Listing> {
    const { upstreams, shared } = this.#parts;
    const { signal } = deadline;
    const upstream = this.#isReachable(target) ? upstreams.get(target) : upstreams.opened(target);
    if (upstream === undefined) {
      const found = await untilAborted(signal, shared.read(target, this.#method));
      this.#room.hold(target, found.size);
      return found;
    }
    const lease = new BudgetLease(shared.budget.lists, target, uncountedListBytes);
    this.#leases.set(target, lease);
    const grow = (size: MessageSize): void => {
      this.#room.hold(target, size);
      lease.grow(weightOf(size));
    };
    deadline.set(listTimeout);
    const { params } = this.#request;
    const read = (own: Params): Promise<Listing> =>
      readPages(upstream, pagedLists[this.#method], { params: own, signal }, { grow });
    // That a target refuses what a client has put into its request says nothing of the target.
    const readPlain = (error: unknown): Promise<Listing> => {
      if (!(error instanceof RpcError) || Object.keys(params).length === 0) throw error;
      return read({});
    };
    return untilAborted(signal, read(params).catch(readPlain));
  }

  /** Gives back what the list of a target holds, which is not needed. */
  #giveBack(target: string): void {
    this.#lists.delete(target);
    this.#room.leave(target);
    this.#leases.get(target)?.release();
  }

  #isReachable(target: string): boolean {
    return has(this.#request.reachable, target);
  }
}

function has(targets: Reachable, target: string): boolean {
  return targets === 'all' || targets.has(target);
}
