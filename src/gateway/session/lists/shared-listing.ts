import type { Clock, Stop, StopAsync } from '../../../edges.ts';
import { within } from '../../../net/deadline.ts';
import type { MessageSize } from '../../rpc/model.ts';
import { type AnswerBudget, uncountedListBytes, weightOf } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import { SlowListError, slowListTime } from '../../upstream/health/target-states.ts';
import type { SessionParts } from '../model.ts';
import {
  createUpstreamSessions,
  eventsOfNobody,
  type UpstreamSessions,
  type UpstreamState,
} from '../upstream-sessions.ts';
import { CrowdedOut } from './crowded-out.ts';
import {
  emptyListing,
  type Listing,
  type ListMethod,
  listMethods,
  listTimeout,
  pagedLists,
  readPages,
} from './list-pages.ts';
import { createListTurns, type ListTurns } from './list-turns.ts';
import { ListWeights } from './list-weights.ts';
import { StandIns } from './stand-ins.ts';

/**
 * Lists of targets over connections of the gateway's own, one for each target, however many clients there are: for
 * callers who may use nothing at a target, and to find out whether one answers again.
 *
 * Only lists can share a connection. An MCP session has state that belongs to one client (log level, subscriptions,
 * what its calls have changed), and its notifications name no addressee. So everything else, and the lists of a caller
 * who may use something at the target, take the client's own session with it.
 */
export interface SharedListing {
  /**
   * Lists without parameters. Callers at the same time get the same listing, and of a large one those within
   * {@link reuseTime} of it: lists that wait to be merged would otherwise keep one each. Rejects after
   * {@link listTimeout}.
   */
  read(target: string, method: ListMethod): Promise<Listing>;
  /**
   * Reads a list in the same way, to find out how the target lists. Rejects with a {@link SlowListError} when it takes
   * longer than clients wait each time; what was listed stands in for it from then on.
   *
   * @param isDoubted whether clients have waited so long again and again: if it can, it stands in for the list then, too
   */
  probe(target: string, method: ListMethod, isDoubted: boolean): Promise<void>;
  /** Returns what stands in for the list of a target that is slow; `undefined` when there is nothing. */
  standIn(target: string, method: ListMethod): Listing | undefined;
  /**
   * Call it when a target says that a list has changed: nothing stands in for it until it was read again. Returns
   * whether something did.
   */
  changed(target: string, method: ListMethod): boolean;
  /** The budget for the lists of all targets, those of client sessions included. */
  readonly budget: AnswerBudget;
  /** Whose list is read, and merged, next. */
  readonly turns: ListTurns;
  /** How large the lists of targets are expected to be. */
  readonly weights: ListWeights;
  /** Which targets had no room in the last list of a caller. */
  readonly crowdedOut: CrowdedOut;
  /** Ends the connections with targets that were removed or changed. */
  drop(targets: readonly string[]): void;
  readonly stop: StopAsync;
}

/** The weight of a list that is given to others for a time, and that time in milliseconds. */
const reusedWeight = 256 * 1024;
const reuseTime = 5_000;

/** A listing that is given to all who ask for it. */
interface RunningList {
  readonly listing: Promise<Listing>;
  /** What it holds of the budget for as long as it is given to others. */
  readonly lease: BudgetLease;
  stopTimer: Stop;
}

/** What a shared listing reports. */
interface SharedListingEvents {
  failed(target: string, reason: Error): void;
  /** Something stands in for a list for which nothing did before. */
  standsIn(target: string, method: ListMethod): void;
}

/** Opens no connection before the first list. */
export function createSharedListing(
  parts: SessionParts,
  state: UpstreamState,
  events: SharedListingEvents,
): SharedListing {
  const ended = new AbortController();
  const upstreams = createUpstreamSessions(parts, state, eventsOfNobody(events.failed), ended.signal);
  const running = new Map<string, RunningList>();

  const forget = (key: string): void => {
    const list = running.get(key);
    running.delete(key);
    list?.lease.release();
    list?.stopTimer();
  };

  const list = async (target: string, method: ListMethod, lease: BudgetLease): Promise<Listing> => {
    const upstream = upstreams.get(target);
    if (upstream === undefined) return emptyListing;
    const limit = { clock: parts.clock, milliseconds: listTimeout, signal: ended.signal };
    const hold = { grow: (size: MessageSize) => lease.grow(weightOf(size)) };
    return within(limit, (signal) => readPages(upstream, pagedLists[method], { params: {}, signal }, hold));
  };

  const standIns = new StandIns();
  const crowdedOut = new CrowdedOut(parts.clock);
  const weights = new ListWeights();
  const read: SharedListing['read'] = (target, method) => {
    const key = `${method} ${target}`;
    const found = running.get(key);
    if (found !== undefined) return found.listing;
    const lease = new BudgetLease(state.budget.lists, target, uncountedListBytes);
    const own: RunningList = { listing: list(target, method, lease), lease, stopTimer: () => {} };
    running.set(key, own);
    const listed = (weight: number): void => {
      // One that was dropped meanwhile may have grown since.
      if (running.get(key) !== own) lease.release();
      else if (weight > reusedWeight) own.stopTimer = parts.clock.after(reuseTime, () => forget(key));
      else forget(key);
    };
    own.listing.then(
      ({ size }) => listed(weightOf(size)),
      () => listed(0),
    );
    return own.listing;
  };

  return {
    budget: state.budget,
    turns: createListTurns(parts.clock),
    weights,
    crowdedOut,
    read,
    probe: createProbe({ ...parts, ...events, read, upstreams, standIns }),
    standIn: (target, method) => standIns.get(target, method),
    changed: (target, method) => standIns.forget(target, method),
    drop(targets) {
      for (const target of targets) {
        standIns.forgetTarget(target);
        crowdedOut.forget(target);
        weights.forget(target);
        for (const method of listMethods) forget(`${method} ${target}`);
      }
      upstreams.drop(targets);
      upstreams.closeDropped();
    },
    stop() {
      ended.abort(new Error('the gateway stops'));
      for (const key of [...running.keys()]) forget(key);
      return upstreams.close();
    },
  };
}

interface ProbeParts extends Pick<SharedListing, 'read'>, Pick<SharedListingEvents, 'standsIn'> {
  readonly clock: Clock;
  readonly passHeaders?: readonly string[] | undefined;
  readonly upstreams: Pick<UpstreamSessions, 'opened'>;
  readonly standIns: StandIns;
}

function createProbe({
  clock,
  passHeaders = [],
  read,
  upstreams,
  standIns,
  standsIn,
}: ProbeParts): SharedListing['probe'] {
  return async (target, method, isDoubted) => {
    const began = clock.monotonic();
    const reading = read(target, method);
    const upstream = upstreams.opened(target);
    let isNew = true;
    const listing = await reading.finally(() => {
      isNew = !standIns.forget(target, method);
    });
    // What a target lists without the headers of a client stands in for no list with them.
    if (passHeaders.length > 0) return;
    const isSlow = clock.monotonic() - began > slowListTime;
    if (!isSlow && !isDoubted) return;
    // One that was changed meanwhile is another target.
    const isKept = upstreams.opened(target) === upstream && standIns.keep(target, method, listing);
    if (isKept && isNew) standsIn(target, method);
    if (isSlow || isKept) throw new SlowListError();
  };
}
