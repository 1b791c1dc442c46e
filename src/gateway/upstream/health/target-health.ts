import type { Clock, Random, Stop } from '../../../edges.ts';
import { DeadlineExceededError } from '../../../net/deadline.ts';
import type { TargetState } from '../../model.ts';
import { AnswerBudgetError, AnswerLimitError } from '../answer-limits.ts';
import { FloodError } from '../flood-guard.ts';
import { Newcomers } from './newcomers.ts';
import { type Failing, Recovery } from './recovery.ts';
import { CircuitOpenError } from './target-circuit.ts';
import type { TargetFailures } from './target-failures.ts';
import { SlowListError, slowListTime } from './target-states.ts';

/**
 * Which lists of which targets fail. Shared by all sessions.
 *
 * @template Method the methods that list something
 */
export interface TargetHealth<Method extends string> {
  /**
   * Returns whether a list is not to be asked for: it was not answered in time, or was larger than it may be, and has
   * not been answered since; or it is answered so late that clients get what it said before. A target that has never
   * listed is asked beside requests first while others of its namespace, as new as it, have kept clients waiting.
   */
  isLeftOut(target: string, method: Method): boolean;
  /** The lists of a target that fail now. */
  failing(target: string): TargetState['lists'];
  /** @param waited the milliseconds that the client has waited for it */
  listed(target: string, method: Method, waited: number): void;
  failed(target: string, method: Method, error: unknown): void;
  /** Asks at once for the lists of a target that fail, since it can be reached again. */
  hasten(target: string): void;
  /**
   * A client has waited for a list and did not get one, maybe since its target was changed or removed meanwhile.
   *
   * @param waited the milliseconds that it has waited
   */
  waitedInVain(target: string, waited: number): void;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
  readonly stop: Stop;
}

/** Dependencies of the health of targets. */
export interface TargetHealthParts<Method extends string> {
  readonly clock: Clock;
  readonly random: Random;
  readonly failures: TargetFailures;
  /**
   * Asks for a list, beside the requests of clients. Rejects when it is not answered within the time limit, and with a
   * {@link SlowListError} when no client shall wait for it.
   *
   * @param isDoubted whether it is slow for clients again and again, although it was not for the gateway itself
   */
  probe(target: string, method: Method, isDoubted: boolean): Promise<unknown>;
  /** Called when a list that had failed is answered. */
  recovered(target: string, method: Method): void;
}

/** Lists that are asked for at the same time: each may have megabytes. */
const concurrency = 4;

interface TargetList<Method extends string> {
  readonly target: string;
  readonly method: Method;
}

/** Starts with no known failure. Remembers at most four lists of each target that has failed. */
export function createTargetHealth<Method extends string>(parts: TargetHealthParts<Method>): TargetHealth<Method> {
  const { clock, random, failures } = parts;
  const newcomers = new Newcomers(clock);
  const noteFailure = ({ target, method }: TargetList<Method>, error: unknown): void => {
    // That of the target itself is told of once, not for each of its lists.
    if (!(error instanceof CircuitOpenError)) failures.failed(target, method, error);
  };
  /** A trial has no headers of a client: what is refused without them may be answered with them. */
  const ignoreRefusal = (error: unknown): void => {
    if (!failures.isRefusal(error)) throw error;
  };
  const lists = new Recovery<TargetList<Method>>({
    clock,
    random,
    concurrency,
    // A method has no blank.
    keyOf: ({ target, method }) => `${method} ${target}`,
    trial: ({ target, method }, isDoubted) => parts.probe(target, method, isDoubted).catch(ignoreRefusal),
    trialFailed(list, error, took) {
      noteFailure(list, error);
      if (took > shortWait) newcomers.late(list.target);
      if (error instanceof SlowListError) return true;
      // That there is no room for a list is no fault of its target.
      return took > shortWait && !(error instanceof AnswerBudgetError);
    },
    recovered({ target, method }) {
      newcomers.settled(target);
      failures.succeeded(target, method);
      parts.recovered(target, method);
    },
  });

  return {
    isLeftOut(target, method) {
      const failing = lists.of({ target, method });
      if (failing === undefined && newcomers.isDoubted(target)) {
        lists.failed({ target, method }, true);
        return true;
      }
      return failing?.state === 'left out';
    },
    failing: (target) =>
      lists
        .failing()
        .filter(({ item }) => item.target === target)
        .map(failingList),
    listed(target, method, waited) {
      newcomers.settled(target);
      if (waited > slowListTime) {
        noteFailure({ target, method }, new SlowListError());
        // Until the gateway's own attempt is as slow: the time may be that of a busy gateway.
        lists.failed({ target, method }, false, true);
      } else if (!lists.worked({ target, method })) failures.succeeded(target, method);
    },
    failed(target, method, error) {
      noteFailure({ target, method }, error);
      if (failures.isRefusal(error)) return;
      if (isCostly(error)) newcomers.settled(target);
      lists.failed({ target, method }, isCostly(error));
    },
    hasten(target) {
      for (const { item } of lists.failing()) if (item.target === target) lists.hasten(item);
    },
    waitedInVain(target, waited) {
      if (waited > shortWait) newcomers.late(target);
    },
    forget(target) {
      newcomers.forget(target);
      lists.forget((list) => list.target === target);
    },
    stop: () => lists.stop(),
  };
}

function failingList({ item, state, since }: Failing<TargetList<string>>): TargetState['lists'][number] {
  return { method: item.method, state, since: new Date(since).toISOString() };
}

/** Milliseconds for which each list may wait for one that fails, also when the gateway asks for it itself. */
const shortWait = 250;

/** Only the first wait for such a failure is acceptable; any other is over soon, or for the client that asks alone. */
function isCostly(error: unknown): boolean {
  return [DeadlineExceededError, AnswerLimitError, FloodError].some((costly) => error instanceof costly);
}
