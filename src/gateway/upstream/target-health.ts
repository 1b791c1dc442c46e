import type { Clock, Random, Stop } from '../../edges.ts';
import { DeadlineExceededError } from '../../net/deadline.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { WorkQueue } from '../../rate/work-queue.ts';
import type { TargetState } from '../model.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { FloodError } from './flood-guard.ts';
import type { TargetFailures } from './target-failures.ts';

/**
 * Which lists of which targets fail. Shared by all sessions.
 *
 * @template Method the methods that list something
 */
export interface TargetHealth<Method extends string> {
  /**
   * Returns whether a list is not to be asked for: it was not answered in time, or was larger than it may be, and has
   * not been answered since.
   */
  isLeftOut(target: string, method: Method): boolean;
  /** The lists of a target that fail now. */
  failing(target: string): TargetState['lists'];
  listed(target: string, method: Method): void;
  failed(target: string, method: Method, error: unknown): void;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
  readonly stop: Stop;
}

/** Dependencies of the health of targets. */
export interface TargetHealthParts<Method extends string> {
  readonly clock: Clock;
  readonly random: Random;
  readonly failures: TargetFailures;
  /** Asks for a list, beside the requests of clients. Rejects when it is not answered within the time limit. */
  probe(target: string, method: Method): Promise<unknown>;
  /** Called when a list that had failed is answered. */
  recovered(target: string, method: Method): void;
}

/** Delays between probes that fail, in milliseconds. The first follows the failure of a client's list at once. */
const probeBackoff: Backoff = { initial: 1_000, max: 60_000 };

/**
 * Delays before the first probe after a relapse, in milliseconds. Shorter, because a client may be able to make its own
 * list fail, and the list is left out for all.
 */
const relapseBackoff: Backoff = { initial: 1_000, max: 10_000 };

/** A failure within this time of a recovery is a relapse, in milliseconds. */
const relapseTime = 60_000;

/** Probes at the same time, and per second: a network that is down is no reason for a burst. */
const probes = { concurrency: 4, rate: 20 } as const;

interface ListHealth<Method extends string> {
  readonly target: string;
  readonly method: Method;
  state: 'answers' | 'fails' | 'left out';
  /** When it began to fail, in milliseconds since the epoch. */
  failingSince: number;
  /** Probes in a row that failed. */
  probes: number;
  relapses: number;
  /** Milliseconds since the epoch. */
  recoveredAt: number;
}

/** Starts with no known failure. Remembers at most four lists of each target that has failed. */
export function createTargetHealth<Method extends string>(parts: TargetHealthParts<Method>): TargetHealth<Method> {
  const { clock, random, failures } = parts;
  const lists = new Map<string, ListHealth<Method>>();

  const answered = (target: string, method: Method): void => {
    failures.succeeded(target, method);
    const list = lists.get(keyOf({ target, method }));
    if (list === undefined || list.state === 'answers') return;
    queue.delete(list);
    list.state = 'answers';
    list.recoveredAt = clock.now();
    parts.recovered(target, method);
  };

  const probe = async (list: ListHealth<Method>): Promise<void> => {
    try {
      await parts.probe(list.target, list.method);
      if (lists.get(keyOf(list)) === list) answered(list.target, list.method);
    } catch (error) {
      if (lists.get(keyOf(list)) !== list || list.state === 'answers') return;
      failures.failed(list.target, list.method, error);
      list.probes += 1;
      queue.addAfter(list, backoffDelay(list.probes, probeBackoff, random));
    }
  };

  const queue = new WorkQueue<ListHealth<Method>>({
    clock,
    limiter: new RateLimiter(clock, { rate: probes.rate }),
    concurrency: probes.concurrency,
    keyOf,
    begin: (list) => (list.state === 'answers' ? undefined : probe(list)),
  });

  return {
    isLeftOut: (target, method) => lists.get(keyOf({ target, method }))?.state === 'left out',
    failing: (target) => [...lists.values()].filter((list) => list.target === target).flatMap(failingList),
    listed: answered,
    failed(target, method, error) {
      failures.failed(target, method, error);
      const key = keyOf({ target, method });
      const list = lists.get(key) ?? initialHealth(target, method);
      lists.set(key, list);
      const isNew = list.state === 'answers';
      if (list.state !== 'left out') list.state = isCostly(error) ? 'left out' : 'fails';
      if (!isNew) return;
      list.failingSince = clock.now();
      list.probes = 0;
      list.relapses = clock.now() - list.recoveredAt < relapseTime ? list.relapses + 1 : 0;
      if (list.relapses === 0) queue.add(list);
      else queue.addAfter(list, backoffDelay(list.relapses, relapseBackoff, random));
    },
    forget(target) {
      for (const [key, list] of lists) {
        if (list.target !== target) continue;
        queue.delete(list);
        lists.delete(key);
      }
    },
    stop() {
      lists.clear();
      queue.clear();
    },
  };
}

function initialHealth<Method extends string>(target: string, method: Method): ListHealth<Method> {
  return { target, method, state: 'answers', failingSince: 0, probes: 0, relapses: -1, recoveredAt: 0 };
}

function failingList({ method, state, failingSince }: ListHealth<string>): TargetState['lists'] {
  return state === 'answers' ? [] : [{ method, state, since: new Date(failingSince).toISOString() }];
}

/** Only the first wait for such a failure is acceptable; any other is over at once. */
function isCostly(error: unknown): boolean {
  return [DeadlineExceededError, AnswerLimitError, FloodError].some((costly) => error instanceof costly);
}

/** A method has no blank. */
function keyOf({ target, method }: { readonly target: string; readonly method: string }): string {
  return `${method} ${target}`;
}
