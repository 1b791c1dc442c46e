import { describe, expect } from 'vitest';
import type { TargetFetch } from '../../src/gateway/model.ts';
import { createAnswerBudget, createListMemory } from '../../src/gateway/upstream/answer-limits.ts';
import { createUpstreamSession } from '../../src/gateway/upstream/upstream-session.ts';
import { reasonOf } from '../../src/net/errors.ts';
import { FairTurns } from '../../src/rate/fair-turns.ts';
import { createFastClock } from '../support/edges/fast-clock.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { noCircuit } from '../support/gateway/no-circuit.ts';

/** So fast that the time limit of a request, which has no answer, is a moment. */
const clock = createFastClock(1_000);

const corpus = new URL('./corpus/answers/', import.meta.url);
const dictionary = [
  'data:',
  'data: {',
  'event: message',
  'id: 1',
  'retry: 0',
  ':',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '{"jsonrpc":"2.0","id":1',
  '"result":{}',
  '[',
  ']',
  '\xef\xbb\xbf',
  '\xff',
];

/** Connects to a target whose answer to a method is these bytes, and asks for its tools. */
async function list(bytes: Buffer, contentType: string, answered: 'initialize' | 'tools/list'): Promise<unknown> {
  const fetch: TargetFetch = async (_url, init) => {
    if (init?.method !== 'POST') return new Response(null, { status: 405 });
    const { id, method, params } = JSON.parse(String(init.body));
    if (id === undefined) return new Response(null, { status: 202 });
    const headers = { 'content-type': contentType };
    if (method === answered) return new Response(new Uint8Array(bytes), { headers });
    if (method !== 'initialize') return Response.json({ jsonrpc: '2.0', id, result: { tools: [] } });
    const { protocolVersion } = params;
    const result = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'a', version: '0' } };
    return Response.json({ jsonrpc: '2.0', id, result });
  };
  const session = createUpstreamSession({
    target: { name: 'a', host: 'a', port: 80, path: '/mcp' },
    fetch,
    clock,
    random: () => 0.5,
    memory: {
      transports: new Map([['streamable-http', 'streamable-http']]),
      floods: 0,
      refusedUntil: 0,
      handshake: undefined,
      paramHeaders: undefined,
      listsForgotten: 0,
    },
    budget: createAnswerBudget(new FairTurns()),
    kept: createListMemory({ evict: () => {}, crowded: () => {} }),
    circuit: noCircuit,
    enter: () => () => {},
    clientCapabilities: {},
    input: 'refused',
    notification: () => {},
    request: () => Promise.resolve({}),
    connected: () => {},
    failed: () => {},
    delayed: () => {},
    requestTimeout: () => ({ milliseconds: 600_000, flag: '--call-timeout' }),
  });
  const late = new AbortController();
  const stopTimer = clock.after(5_000, () => late.abort(new Error('late')));
  try {
    return await session.request('tools/list', {}, late.signal);
  } finally {
    stopTimer();
    void session.close(new Error('over'));
  }
}

describe('the answer of a target', () => {
  for (const answered of ['tools/list', 'initialize'] as const) {
    for (const type of ['application/json', 'text/event-stream']) {
      fuzz(`to ${answered} in ${type} is a result, or an error with a short message`, {
        corpus,
        dictionary,
        async run(input) {
          const outcome = await list(input, type, answered).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(reasonOf(outcome).length).toBeLessThan(1_100);
          else expect(typeof outcome).toBe('object');
        },
      });
    }
  }
});
