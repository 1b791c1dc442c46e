import type { Message, Params, RequestId, Result, SendOptions } from './model.ts';

/** Our requests to the other side, from their sending to their answer. */
export interface Asking {
  request(method: string, params: Params | undefined, signal?: AbortSignal): Promise<Result>;
  /** An answer of the other side; one that nobody waits for is ignored. */
  settle(id: RequestId | undefined, outcome: Result | Error): void;
  /** Everything that is waited for fails with `reason`. */
  close(reason: Error): void;
}

/** Gives every request an id, and brings its answer back. */
export function createAsking(send: (message: Message, options: SendOptions) => Promise<void>): Asking {
  const waiting = new Map<RequestId, (outcome: Result | Error) => void>();
  let nextId = 0;

  const settle = (id: RequestId | undefined, outcome: Result | Error): void => {
    if (id === undefined) return;
    waiting.get(id)?.(outcome);
    waiting.delete(id);
  };

  /** MCP forbids to cancel the handshake; nobody waits for this message to arrive. */
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
        waiting.set(id, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
        signal?.addEventListener('abort', cancel, { once: true });
        const message: Message = { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
        const lost = (): void => settle(id, new Error('the answer was cut off'));
        send(message, { lost }).catch((error: unknown) => settle(id, errorOf(error)));
      }).finally(() => signal?.removeEventListener('abort', cancel));
    },
    close(reason) {
      for (const id of [...waiting.keys()]) settle(id, reason);
    },
  };
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
