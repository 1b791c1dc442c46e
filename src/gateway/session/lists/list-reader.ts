import type { Clock } from '../../../edges.ts';
import { Deadline, untilAborted } from '../../../net/deadline.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { MessageSize } from '../../rpc/model.ts';
import { AnswerLimitError } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import type { TargetCircuit } from '../../upstream/health/target-circuit.ts';
import type { TargetFailures } from '../../upstream/health/target-failures.ts';
import type { TargetHealth } from '../../upstream/health/target-health.ts';
import type { Authorization } from '../authorization.ts';
import type { UpstreamSessions } from '../upstream-sessions.ts';
import { type ListMethod, type ListQuery, listSizeOf, listTimeout, pagedLists, readPages } from './list-pages.ts';
import { ListRoom, tooLarge } from './list-room.ts';
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
  readonly found: readonly unknown[];
}

/** The lists of targets that one merged list is made of. */
interface Reading {
  readonly method: ListMethod;
  readonly request: ListRequest;
  readonly room: ListRoom;
  /** By target, as far as they are complete. */
  readonly lists: Map<string, readonly unknown[]>;
  /** By target, of those that are read in the session of the client. */
  readonly leases: Map<string, BudgetLease>;
}

/** The lists of targets while they are read, and until they are not needed. */
interface ListReading {
  /** The lists in the order of the targets, without those that are left out, and the bytes of all. */
  readonly done: Promise<{ readonly lists: readonly TargetList[]; readonly bytes: number }>;
  /** Gives back what they hold of the budget of all targets. */
  release(): void;
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
 * Creates the function that asks targets for their lists, all at the same time, and leaves out those that fail, that did
 * not respond within {@link listTimeout} before, that cannot be reached, or whose lists are too large for one merged list, now or shortly before.
 *
 * @param listed called with each target that has listed
 */
export function createListReader(
  { clock, upstreams, shared, health, circuit, failures }: ListReaderParts,
  listed: (target: string, method: ListMethod) => void,
): (method: ListMethod, request: ListRequest, targets: readonly string[]) => ListReading {
  const readOne = async (
    { method, request, room, leases }: Reading,
    target: string,
    deadline: Deadline,
  ): Promise<readonly unknown[]> => {
    const { signal } = deadline;
    const upstream = isReachable(request, target) ? upstreams.get(target) : upstreams.opened(target);
    if (upstream === undefined) {
      const found = await untilAborted(signal, shared.read(target, method));
      room.hold(target, listSizeOf(found));
      return found;
    }
    const lease = new BudgetLease(shared.budget.lists, target);
    leases.set(target, lease);
    const grow = (size: MessageSize): void => {
      room.hold(target, size);
      lease.grow(size.bytes);
    };
    deadline.set(listTimeout);
    return untilAborted(signal, readPages(upstream, pagedLists[method], { params: request.params, signal }, { grow }));
  };

  /** Adds the list of a target, unless the merged list has to do without it. */
  const readTarget = async (reading: Reading, target: string): Promise<void> => {
    const { method, request, room, lists } = reading;
    if (request.signal.aborted) return void lists.set(target, []);
    const isLeftOut = circuit.isLeftOut(target) || health.isLeftOut(target, method);
    if (isLeftOut || shared.crowdedOut.has(callerKey(request.caller), method, target)) return;
    const deadline = new Deadline(clock, request.signal);
    room.enter(target, has(request.usable, target), () => {
      giveBack(reading, target);
      deadline.abort(new AnswerLimitError(tooLarge));
    });
    try {
      const found = await readOne(reading, target, deadline);
      if (room.leftOut.has(target)) return;
      lists.set(target, found);
      listed(target, method);
      health.listed(target, method);
    } catch (error) {
      if (room.leftOut.has(target)) return;
      giveBack(reading, target);
      if (request.signal.aborted || !upstreams.isTarget(target)) lists.set(target, []);
      else health.failed(target, method, error);
    } finally {
      deadline.release();
    }
  };

  /** Returns the lists in the order of the targets. */
  const readAll = async (reading: Reading, targets: readonly string[]): ListReading['done'] => {
    const { method, request, room, lists } = reading;
    const own = targets.filter((target) => isReachable(request, target)).length;
    const reads = { own, shared: targets.length - own };
    const caller = callerKey(request.caller);
    const release = await shared.turns.toRead(caller, reads);
    await Promise.all(targets.map((target) => readTarget(reading, target))).finally(release);
    shared.crowdedOut.leftOut(caller, method, room.leftOut);
    if (room.leftOut.size > 0) failures.leftOut([...room.leftOut], method, new AnswerLimitError(tooLarge));
    return { lists: completeLists(lists, targets), bytes: room.bytes };
  };

  return (method, request, targets) => {
    const reading: Reading = { method, request, room: new ListRoom(), lists: new Map(), leases: new Map() };
    return {
      done: readAll(reading, targets),
      release() {
        for (const lease of reading.leases.values()) lease.release();
      },
    };
  };
}

function completeLists(lists: Reading['lists'], targets: readonly string[]): readonly TargetList[] {
  return targets.flatMap((target) => {
    const found = lists.get(target);
    return found === undefined ? [] : [{ target, found }];
  });
}

/** Gives back what the list of a target holds, which is not needed. */
function giveBack({ room, lists, leases }: Reading, target: string): void {
  lists.delete(target);
  room.leave(target);
  leases.get(target)?.release();
}

function isReachable({ reachable }: ListRequest, target: string): boolean {
  return has(reachable, target);
}

function has(targets: Reachable, target: string): boolean {
  return targets === 'all' || targets.has(target);
}
