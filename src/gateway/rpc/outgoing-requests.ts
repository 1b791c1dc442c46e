import type { Message, Params, RequestId, Result, SendOptions } from './model.ts';

/** The requests to the other side that are in flight. */
export interface OutgoingRequests {
  request(method: string, params: Params | undefined, signal?: AbortSignal): Promise<Result>;
  /** Settles the request with this id. Ignores an unknown id. */
  settle(id: RequestId | undefined, outcome: Result | Error): void;
  /** Rejects all requests with `reason`. */
  close(reason: Error): void;
}

/** Gives each request an id and matches the response to it. */
export function createOutgoingRequests(
  send: (message: Message, options: Pick<SendOptions<never>, 'lost'>) => Promise<void>,
): OutgoingRequests {
  const inFlight = new Map<RequestId, (outcome: Result | Error) => void>();
  let nextId = 0;

  const settle = (id: RequestId | undefined, outcome: Result | Error): void => {
    if (id === undefined) return;
    inFlight.get(id)?.(outcome);
    inFlight.delete(id);
  };

  /** Sends `notifications/cancelled`, but not for the handshake (MCP 2025-11-25, Cancellation). */
  const sendCancelled = (requestId: RequestId, method: string, { message }: Error): void => {
    if (method === 'initialize') return;
    const params = { requestId, reason: message };
    send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, {}).catch(() => {});
  };

  return {
    settle,
    request(method, params, signal) {
      const id = nextId++;
      const cancel = (): void => {
        const reason = errorOf(signal?.reason);
        settle(id, reason);
        sendCancelled(id, method, reason);
      };
      return new Promise<Result>((resolve, reject) => {
        if (signal?.aborted === true) return reject(errorOf(signal.reason));
        inFlight.set(id, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
        signal?.addEventListener('abort', cancel, { once: true });
        const message: Message = { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
        const lost = (): void => settle(id, new Error('the answer was cut off'));
        send(message, { lost }).catch((error: unknown) => settle(id, errorOf(error)));
      }).finally(() => signal?.removeEventListener('abort', cancel));
    },
    close(reason) {
      for (const id of [...inFlight.keys()]) settle(id, reason);
    },
  };
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
