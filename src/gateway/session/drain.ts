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

/**
 * Requests that carry on what has begun. A task has begun with a call, and a client that gets no response to `ping` may
 * give up its calls.
 */
const continuing: readonly string[] = ['ping', 'tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel'];

/**
 * Returns whether a request begins something new. One with the input that an earlier one has asked for continues the
 * call of that one (MCP 2026-07-28, Multi Round-Trip Requests).
 */
export function beginsWork({
  method,
  params,
}: {
  readonly method: string;
  readonly params?: Params | undefined;
}): boolean {
  if (continuing.includes(method)) return false;
  const hasInput = params?.['requestState'] !== undefined || params?.['inputResponses'] !== undefined;
  return !(mayAskForInput(method) && hasInput);
}

/** The error response to what a drain refuses, or does not wait for any longer. */
export function shuttingDown(): RpcError {
  return new RpcError(errorCode.unavailable, 'The gateway is shutting down; send the request again in a new session');
}
