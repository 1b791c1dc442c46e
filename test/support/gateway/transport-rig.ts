import { createServer, type RequestListener } from 'node:http';
import type { Message } from '../../../src/gateway/rpc/model.ts';
import { createAnswerBudget } from '../../../src/gateway/upstream/answer-limits.ts';
import type { Circuit, Transport, TransportKind } from '../../../src/gateway/upstream/model.ts';
import { createTransport } from '../../../src/gateway/upstream/transport/transport.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';
import { createManualClock, type ManualClock } from '../edges/manual-clock.ts';
import { portOf } from './gateway-rig.ts';
import { noCircuit } from './no-circuit.ts';

/** A transport to a server of the test, and what it has reported. */
export interface TransportRig extends AsyncDisposable {
  readonly transport: Transport;
  readonly clock: ManualClock;
  readonly received: Message[];
  readonly failures: string[];
  /** Sizes of what was no message. */
  readonly invalid: number[];
  /** Method, and what identifies the request. */
  readonly requests: string[];
}

/** A transport to a server of the test, with a clock that only the test advances. */
export async function connectTransport(
  answer: RequestListener,
  kind: TransportKind = 'streamable-http',
  circuit: Circuit = noCircuit,
): Promise<TransportRig> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers['last-event-id']].filter(Boolean).join(' '));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = createManualClock();
  const received: Message[] = [];
  const failures: string[] = [];
  const invalid: number[] = [];
  const transport = createTransport(kind, {
    url: new URL(`http://127.0.0.1:${portOf(server.address())}/mcp`),
    target: 'a',
    fetch: (url, init) => fetch(url, { ...init, redirect: 'manual' }),
    clock,
    random: () => 1,
    budget: createAnswerBudget(new FairTurns()),
    circuit,
    events: {
      received: (message) => void received.push(message),
      invalid: ({ bytes }) => void invalid.push(bytes),
      ignored: () => {},
      pace: () => undefined,
      lost: ({ message }) => void failures.push(message),
      streamFailed: ({ message }) => void failures.push(message),
    },
  });
  return {
    transport,
    clock,
    received,
    failures,
    invalid,
    requests,
    async [Symbol.asyncDispose]() {
      transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const request: Message = { jsonrpc: '2.0', id: 7, method: 'tools/list' };
/** The response to a request with this id. */
export const response = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, result: {} });
export const initialized: Message = { jsonrpc: '2.0', method: 'notifications/initialized' };

/** Answers a POST with one event stream, each GET with the next. */
export function streams(first: string, ...next: readonly string[]): RequestListener {
  const left = [...next];
  return ({ method }, answer) => {
    const text = method === 'POST' ? first : (left.shift() ?? '');
    answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
  };
}
