import type { Clock, Logger } from '../../edges.ts';
import { isJsonObject } from '../../json/json.ts';
import { within } from '../../net/deadline.ts';
import type { Message, Params } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { mayAskForInput } from '../upstream/input-required.ts';
import type { Sender } from './model.ts';

/** The requests of all clients that no response was sent to. */
export interface ClientRequestsInFlight {
  count(): number;
  isDraining(): boolean;
  /** Resolves when no request is in flight; from now on, new ones should be refused. */
  drained(): Promise<void>;
  /** Counts a request until its sender is told that it is settled. */
  counted(message: Message, sender: Sender): Sender;
}

/** Starts without requests. */
export function createInFlight(): ClientRequestsInFlight {
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  let requests = 0;
  let draining = false;
  const changedBy = (difference: number): void => {
    requests += difference;
    if (draining && requests === 0) resolve();
  };
  return {
    count: () => requests,
    isDraining: () => draining,
    drained() {
      draining = true;
      changedBy(0);
      return drained;
    },
    counted(message, sender) {
      if (!('method' in message && 'id' in message)) return sender;
      changedBy(1);
      return {
        caller: sender.caller,
        paramHeaders: sender.paramHeaders,
        passedHeaders: sender.passedHeaders,
        get reader() {
          return sender.reader;
        },
        send: (...sent) => sender.send(...sent),
        pause: () => sender.pause?.(),
        settled() {
          sender.settled();
          changedBy(-1);
        },
      };
    },
  };
}

/** What a drain waits for. */
interface DrainParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly inFlight: ClientRequestsInFlight;
  /** The number of tasks that clients are expected to ask about. */
  readonly tasks: () => number;
}

/** Milliseconds between two looks at the tasks that a drain waits for. */
const lookInterval = 100;

/**
 * Waits until no request is in flight, and no client is expected to ask about a task.
 *
 * @param limit milliseconds
 * @param refuse called when that takes longer, for what is in flight then
 */
export async function drain(
  { clock, log, inFlight, tasks }: DrainParts,
  limit: number,
  refuse: () => void,
): Promise<void> {
  const isOver = (): boolean => inFlight.count() === 0 && tasks() === 0;
  const drained = inFlight.drained();
  if (!isOver()) log.info('waits for the requests in flight', { requests: inFlight.count(), tasks: tasks() });
  await within({ clock, milliseconds: limit }, async (signal) => {
    await drained;
    while (!isOver() && !signal.aborted) await new Promise<void>((resolve) => clock.after(lookInterval, resolve));
  }).catch(() => {
    const message = 'requests get an error, since the grace time is over';
    log.warn(message, { requests: inFlight.count(), tasks: tasks() });
    refuse();
  });
}

/**
 * Requests that carry on what has begun. A task has begun with a call, and a client that gets no response to `ping` may
 * give up its calls.
 */
const continuing: readonly string[] = ['ping', 'tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel'];

/**
 * Returns whether a request begins something new. One with the input that an earlier one has asked for continues the
 * call of that one (MCP 2026-07-28, Multi Round-Trip Requests). Whether it was asked for is not known here: the state is
 * the target's own, and may be of another gateway. So what is made up is bounded by the time of the drain.
 *
 * @param hasSession whether its client has a session, in which a request continues no earlier one
 */
export function beginsWork(
  { method, params }: { readonly method: string; readonly params?: Params | undefined },
  hasSession: boolean,
): boolean {
  if (continuing.includes(method)) return false;
  const hasInput = typeof params?.['requestState'] === 'string' || isJsonObject(params?.['inputResponses']);
  return hasSession || !mayAskForInput(method) || !hasInput;
}

/** The error response to what a drain refuses, or does not wait for any longer. */
export function shuttingDown(): RpcError {
  return new RpcError(errorCode.unavailable, 'The gateway is shutting down; send the request again in a new session');
}
