import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createEventStreams } from '../../../src/gateway/downstream/event-stream.ts';
import { listen } from '../../../src/gateway/downstream/stateless/stateless-listen.ts';
import type { Multiplexer } from '../../../src/gateway/session/multiplexer.ts';
import type { FairTurns } from '../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

it('a thousand resources are subscribed to in turns of the caller, and no more once it has left', async () => {
  const clock = createManualClock();
  const streams = createEventStreams({ clock, log: createRecordedLog(), counters: createRecordedGatewayCounters() });
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  /** What was subscribed to in each turn. */
  const turns: number[] = [];
  const left = Promise.withResolvers<void>();
  const next = async (): Promise<void> => {
    turns.push(0);
    if (turns.length < 20) return;
    response.destroy();
    left.resolve();
  };
  const session = {
    close: async () => {},
    receive({ id }: { readonly id: number }, sender: { send(message: object): void }) {
      turns.push((turns.pop() ?? 0) + 1);
      sender.send({ jsonrpc: '2.0', id, result: {} });
    },
  };
  const multiplexer = { open: () => session } as unknown as Multiplexer;
  const caller = { kind: 'anonymous', reason: 'stdio' } as const;
  const resourceSubscriptions = Array.from({ length: 1_000 }, (_, index) => `file:///${index}`);
  listen(
    { multiplexer, streams, clock, turns: { next } as unknown as FairTurns, open: new Set() },
    { response, caller, request: response.req, passedHeaders: {}, hold: () => () => {} },
    {
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { resourceSubscriptions } },
      capabilities: {},
      logLevel: undefined,
      paramHeaders: {},
    },
    () => {},
  );
  await left.promise;
  await new Promise(setImmediate);
  expect(turns).toEqual(Array.from({ length: 20 }, () => 32));
});
