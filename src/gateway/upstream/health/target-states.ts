import type { Clock } from '../../../edges.ts';
import { DeadlineExceededError } from '../../../net/deadline.ts';
import { reasonOf } from '../../../net/errors.ts';
import { TargetConnectionsError } from '../../errors.ts';
import type { TargetOutcome, TargetState } from '../../model.ts';
import { AnswerBudgetError, AnswerLimitError } from '../answer-limits.ts';
import { FloodError } from '../flood-guard.ts';

/** What the requests of all sessions have found out of each target. */
export interface TargetStates {
  /** Counts a request that was answered, with a result or with an error. */
  answered(target: string, outcome: 'result' | 'error'): void;
  /** Remembers an answer that is of no use to the request, and counts it as an error: the target can be reached. */
  refused(target: string, request: string, error: unknown): void;
  /** Remembers a failure, and counts it when it is that of a request. */
  failed(target: string, request: string, error: unknown): void;
  /** It can be reached again: says nothing of requests. */
  connected(target: string): void;
  /** Counts a request that a limit has ended which is not about this target alone: says nothing of it. */
  limited(target: string): void;
  /** Counts a request that was not sent, because the target cannot be reached. */
  skipped(target: string): void;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
  of(target: string): Omit<TargetState, 'lists' | 'circuit'>;
}

/** Milliseconds that clients wait for the list of a target, each time. One that takes longer is asked for beside them. */
export const slowListTime = 1_000;

/** A list was answered, after {@link slowListTime}. */
export class SlowListError extends Error {
  override readonly name = 'SlowListError';

  constructor() {
    super(`its list takes longer than ${slowListTime / 1_000} s: clients get what it listed before`);
  }
}

/** Not the name of a method: a connection failed while no request reported it. */
export const connectionRequest = 'connection';

interface Mutable {
  state: TargetState['state'];
  since: TargetState['since'];
  lastError: TargetState['lastError'];
  readonly requests: Record<TargetOutcome, number>;
}

/** Starts with targets that were never connected to. */
export function createTargetStates(clock: Clock): TargetStates {
  const states = new Map<string, Mutable>();
  const stateOf = (target: string): Mutable => states.get(target) ?? initialState();
  const known = (target: string): Mutable => {
    const state = stateOf(target);
    states.set(target, state);
    return state;
  };
  const changing = (target: string, found: TargetState['state']): Mutable => {
    const state = known(target);
    if (state.state !== found) state.since = timeOf(clock.now());
    state.state = found;
    return state;
  };
  return {
    answered(target, outcome) {
      changing(target, 'answers').requests[outcome] += 1;
    },
    refused(target, request, error) {
      const state = changing(target, 'answers');
      state.lastError = { at: timeOf(clock.now()), request, reason: reasonOf(error) };
      if (request !== connectionRequest) state.requests.error += 1;
    },
    failed(target, request, error) {
      const outcome = outcomeOf(error);
      if (error instanceof AnswerBudgetError) {
        // The answers of all targets were too large together.
        known(target).requests[outcome] += 1;
        return;
      }
      const state = changing(target, outcome === 'timeout' ? 'slow' : 'fails');
      state.lastError = { at: timeOf(clock.now()), request, reason: reasonOf(error) };
      if (request !== connectionRequest) state.requests[outcome] += 1;
    },
    connected: (target) => void changing(target, 'answers'),
    limited(target) {
      known(target).requests.limit += 1;
    },
    skipped(target) {
      known(target).requests.circuit += 1;
    },
    forget: (target) => void states.delete(target),
    of: stateOf,
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function initialState(): Mutable {
  return {
    state: 'never connected',
    since: null,
    lastError: null,
    requests: { result: 0, error: 0, failure: 0, timeout: 0, limit: 0, circuit: 0 },
  };
}

function outcomeOf(error: unknown): TargetOutcome {
  if (error instanceof DeadlineExceededError || error instanceof SlowListError) return 'timeout';
  const limits = [AnswerLimitError, AnswerBudgetError, FloodError, TargetConnectionsError];
  return limits.some((limit) => error instanceof limit) ? 'limit' : 'failure';
}
