import type { Message, Params, RequestId, RequestOptions, Result, SendOptions } from './model.ts';
import type { RpcError } from './rpc-error.ts';

/** The requests to the other side that are in flight. */
export interface OutgoingRequests<Sender extends Address, Address> {
  request(method: string, params: Params | undefined, options?: RequestOptions<Sender, Address>): Promise<Result>;
  /** Settles the request that a response names. Ignores an unknown id. */
  answered(id: RequestId | undefined, outcome: Result | RpcError, sender: Sender): void;
  /** Rejects all requests with `reason`. */
  close(reason: Error): void;
}

interface InFlight<Sender extends Address, Address> {
  readonly settle: (outcome: Result | Error) => void;
  readonly mayAnswer: RequestOptions<Sender, Address>['mayAnswer'];
}

/** Gives each request an id and matches the response to it. */
export function createOutgoingRequests<Sender extends Address, Address>(
  send: (message: Message, options: SendOptions<Address>) => Promise<void>,
  firstId: number = 0,
): OutgoingRequests<Sender, Address> {
  const inFlight = new Map<RequestId, InFlight<Sender, Address>>();
  let nextId = firstId;

  const settle = (id: RequestId, outcome: Result | Error): void => {
    inFlight.get(id)?.settle(outcome);
    inFlight.delete(id);
  };

  /** Sends `notifications/cancelled`, but not for the handshake (MCP 2025-11-25, Cancellation). */
  const sendCancelled = (
    requestId: RequestId,
    method: string,
    { message }: Error,
    to: Pick<SendOptions<Address>, 'to'>,
  ): void => {
    if (method === 'initialize') return;
    const params = { requestId, reason: message };
    send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, to).catch(() => {});
  };

  return {
    request(method, params, { signal, to, paused, headers, arriving, sent, mayAnswer } = {}) {
      const id = nextId++;
      const addressee = to === undefined ? {} : { to };
      const cancel = (): void => {
        const reason = errorOf(signal?.reason);
        settle(id, reason);
        sendCancelled(id, method, reason, addressee);
      };
      return new Promise<Result>((resolve, reject) => {
        if (signal?.aborted === true) return reject(errorOf(signal.reason));
        const settled = (outcome: Result | Error): void => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        inFlight.set(id, { settle: settled, mayAnswer });
        sent?.(id);
        signal?.addEventListener('abort', cancel, { once: true });
        const message: Message = { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
        const lost = (): void => settle(id, new Error('the answer was cut off'));
        send(message, { ...addressee, lost, paused, headers, arriving }).catch((error: unknown) =>
          settle(id, errorOf(error)),
        );
      }).finally(() => signal?.removeEventListener('abort', cancel));
    },
    answered(id, outcome, sender) {
      const request = id === undefined ? undefined : inFlight.get(id);
      if (id === undefined || request === undefined) return;
      const refused = request.mayAnswer?.(sender) === false;
      settle(id, refused ? new Error('the sender of the answer may not answer this request') : outcome);
    },
    close(reason) {
      for (const id of [...inFlight.keys()]) settle(id, reason);
    },
  };
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
