import type { Clock, Random, Stop } from '../../../edges.ts';
import { DeadlineExceededError, within } from '../../../net/deadline.ts';
import { causeOf } from '../../../net/errors.ts';
import { FairTurns } from '../../../rate/fair-turns.ts';
import { ConnectError, TargetConnectionsError } from '../../errors.ts';
import type { TargetState } from '../../model.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import { AnswerBudgetError, AnswerLimitError } from '../answer-limits.ts';
import { FloodError } from '../flood-guard.ts';
import { HttpStatusError } from '../transport/http-exchange.ts';
import { type Failing, Recovery } from './recovery.ts';
import { statusOf, type TargetFailures } from './target-failures.ts';

/**
 * A request was not sent, because no connection to its target can be made. The message is for clients, the cause for the
 * log.
 */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
}

/**
 * The circuit breaker of each target. While it is open, requests fail at once, and the gateway tries a connection of
 * its own from time to time. Shared by all sessions (decision 41).
 */
export interface TargetCircuit {
  /** Returns whether nothing is to be sent to this target, and no connection tried for a request. */
  isLeftOut(target: string): boolean;
  /** Returns the error of a request to this target; `undefined` when it may be sent. */
  refusal(target: string): CircuitOpenError | undefined;
  /**
   * Call it when there is a {@link refusal}. If the last attempt to connect was over soon, makes another one, which all
   * requests share, so that a target that has restarted is used as soon as it is back. Rejects with the refusal when
   * that fails, and at once when attempts take long.
   */
  retry(target: string): Promise<void>;
  /**
   * Looks at a failure of a connection or of a request. What no target could have caused, and what it has answered, is
   * ignored. Any other failure makes the gateway try a connection of its own, in which there is nothing of a client,
   * and the circuit opens when that fails, too.
   *
   * @param isOwn whether nothing that a client has chosen could be the reason: what has taken a time limit then opens
   * the circuit at once
   */
  failed(target: string, error: unknown, isOwn: boolean): void;
  /**
   * Calls back when the circuit of a target closes, once, unless it is stopped before: to wait longer is no use then.
   */
  whenClosed(target: string, closed: () => void): Stop;
  /** For the page of targets; `null` when it is closed. */
  stateOf(target: string): TargetState['circuit'];
  /** Call when a target was changed or removed. */
  forget(target: string): void;
  readonly stop: Stop;
}

/** Dependencies of the circuit breakers. */
export interface TargetCircuitParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly failures: TargetFailures;
  /** Connects to a target in the name of nobody, and disconnects. Rejects as a connection for a client would. */
  connect(target: string): Promise<unknown>;
  /** Called when a target that could not be reached can be. */
  recovered(target: string): void;
}

/** Connections that are tried at the same time, without those that hang, each for 10 s at most. */
const concurrency = 16;

/** Milliseconds between attempts for requests, and that a request waits for one. */
const retryInterval = 100;
const retryTime = 1_000;

/** Starts with closed circuits. */
export function createTargetCircuit(parts: TargetCircuitParts): TargetCircuit {
  const { clock, random, failures } = parts;
  /** The last failure of each target that has failed. */
  const errors = new Map<string, unknown>();
  const waiting = createWaiting();
  const open = (target: string, error: unknown): void => {
    errors.set(target, error);
    failures.unreachable(target, error);
  };
  const attempts = createAttempts(clock);
  const isReached = (error: unknown): void => {
    if (isOutage(error) && !failures.isRefusal(error)) throw error;
  };
  const targets = new Recovery<string>({
    clock,
    random,
    concurrency,
    keyOf: (target) => target,
    trial: (target) => attempts.made(target, parts.connect(target).catch(isReached)),
    trialFailed(target, error) {
      open(target, error);
      return true;
    },
    recovered(target) {
      if (!errors.delete(target)) return;
      failures.connected(target);
      parts.recovered(target);
      void waiting.wake(target);
    },
  });
  const openOf = (target: string) => {
    const found = targets.of(target);
    return found?.state === 'left out' ? found : undefined;
  };

  const refusal: TargetCircuit['refusal'] = (target) => {
    const found = openOf(target);
    return found === undefined ? undefined : refusalOf(target, found, errors.get(target), clock.now());
  };

  return {
    isLeftOut: (target) => openOf(target) !== undefined && isCostly(errors.get(target)),
    refusal,
    async retry(target) {
      if (!isCostly(errors.get(target)) && attempts.isDue(target)) {
        targets.hasten(target);
        const attempt = attempts.running(target);
        if (attempt !== undefined) await within({ clock, milliseconds: retryTime }, () => attempt).catch(() => {});
      }
      const refused = refusal(target);
      if (refused !== undefined) throw refused;
    },
    failed(target, error, isOwn) {
      if (!isOutage(error)) return;
      const opens = (isOwn || causeOf(error, ConnectError) !== undefined) && isCostly(error);
      if (opens && openOf(target) === undefined) open(target, error);
      targets.failed(target, opens);
    },
    whenClosed: waiting.add,
    stateOf(target) {
      const found = openOf(target);
      if (found === undefined) return null;
      const { since, nextTrial } = found;
      return { openSince: timeOf(since), nextAttempt: nextTrial === undefined ? null : timeOf(nextTrial) };
    },
    forget(target) {
      errors.delete(target);
      attempts.forget(target);
      targets.forget((other) => other === target);
    },
    stop: () => targets.stop(),
  };
}

/** Those who wait are called this many in one iteration of the event loop: each session may be one of them. */
const wokenPerTurn = 64;

/** Those who wait for the circuit of a target to close. */
function createWaiting() {
  const turns = new FairTurns();
  const byTarget = new Map<string, Set<() => void>>();
  return {
    add(target: string, closed: () => void): Stop {
      const all = byTarget.get(target) ?? new Set();
      byTarget.set(target, all.add(closed));
      return () => {
        all.delete(closed);
        if (all.size === 0 && byTarget.get(target) === all) byTarget.delete(target);
      };
    },
    /** Those who stop waiting meanwhile are not called, and those who begin to are not of these. */
    async wake(target: string): Promise<void> {
      const all = byTarget.get(target) ?? [];
      byTarget.delete(target);
      let woken = 0;
      for (const closed of all) {
        if (woken > 0 && woken % wokenPerTurn === 0) await turns.next(target);
        woken += 1;
        closed();
      }
    },
  };
}

/** The attempts to connect, of which each target has one at a time. */
function createAttempts(clock: Clock) {
  const running = new Map<string, Promise<unknown>>();
  const endedAt = new Map<string, number>();
  return {
    made(target: string, attempt: Promise<unknown>): Promise<unknown> {
      const own = attempt.finally(() => {
        if (running.get(target) !== own) return;
        running.delete(target);
        endedAt.set(target, clock.monotonic());
      });
      running.set(target, own);
      return own;
    },
    running: (target: string) => running.get(target),
    /** Returns whether one is running, or the last one ended some time ago. */
    isDue: (target: string) =>
      running.has(target) || clock.monotonic() - (endedAt.get(target) ?? Number.NEGATIVE_INFINITY) >= retryInterval,
    forget(target: string) {
      running.delete(target);
      endedAt.delete(target);
    },
  };
}

function refusalOf(
  target: string,
  { since, nextTrial }: Failing<string>,
  error: unknown,
  now: number,
): CircuitOpenError {
  const seconds = nextTrial === undefined ? 0 : Math.max(0, Math.ceil((nextTrial - now) / 1_000));
  const next = seconds === 0 ? 'it is being tried now' : `it is tried again in ${seconds} s`;
  const why = `no connection since ${timeOf(since)} (${reasonForClients(error)})`;
  return new CircuitOpenError(`Target ${target} cannot be reached: ${why}; ${next}`, { cause: error });
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * Returns whether an error says that the target cannot be reached, or does not answer as HTTP and MCP say. An answer,
 * also one that refuses the request, says that it can be; limits of the gateway have consequences of their own.
 */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (error instanceof HttpStatusError) return error.status >= 500;
  const others = [RpcError, FloodError, AnswerLimitError, AnswerBudgetError, TargetConnectionsError, CircuitOpenError];
  if (others.some((other) => error instanceof other)) return false;
  return error.cause === undefined || isOutage(error.cause);
}

/** Any other failure is over at once, so that it can be confirmed before others are refused. */
function isCostly(error: unknown): boolean {
  return causeOf(error, ConnectError)?.failure === 'timeout' || causeOf(error, DeadlineExceededError) !== undefined;
}

/** Says in words for clients why no connection could be opened; `undefined` for failures of another kind. */
export function connectReasonOf(error: unknown): string | undefined {
  const connect = causeOf(error, ConnectError);
  return connect && connectReasons[connect.failure];
}

/**
 * Says it without the text of the target, its address or its certificate, which the log and the page of targets have.
 */
function reasonForClients(error: unknown): string {
  const connect = connectReasonOf(error);
  if (connect !== undefined) return connect;
  const status = statusOf(error);
  if (status !== undefined) return `it answers with status ${status}`;
  return causeOf(error, DeadlineExceededError)?.message ?? 'its connections break, or it does not speak MCP';
}

const connectReasons: Readonly<Record<ConnectError['failure'], string>> = {
  name: 'the name of its host does not resolve',
  address: 'its address is not allowed',
  certificate: 'its certificate is not accepted',
  connection: 'its host refuses connections, or cannot be reached',
  timeout: 'no connection in time',
};
