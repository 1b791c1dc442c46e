import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createBodyReader } from '../../../src/gateway/downstream/body.ts';
import type { Caller } from '../../../src/gateway/model.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

const callerOf = (identity: string): Caller => ({ kind: 'principal', identity, claims: {}, expiresAt: 1 });

/** Requests that have arrived, each of which takes two milliseconds to be handled. */
function createRig() {
  let now = 0;
  const clock = { now: () => now, monotonic: () => now, after: () => () => {} };
  const log = createRecordedLog();
  const bodies = createBodyReader({ clock, log, counters: createRecordedGatewayCounters(), turns: new FairTurns() });
  const handled: string[] = [];
  return {
    handled,
    arrive(caller: string): void {
      const request = new IncomingMessage(new Socket());
      request.push('{"a":1}');
      request.push(null);
      void bodies.read(request, callerOf(caller)).then(() => {
        now += 2;
        handled.push(caller);
      });
    },
    /** The callers whose requests are handled until the next iteration of the event loop. */
    async next(): Promise<readonly string[]> {
      const before = handled.length;
      await new Promise((resolve) => setImmediate(resolve));
      return handled.slice(before);
    },
  };
}

it('of requests that arrive at once, some are handled in each iteration of the event loop', async () => {
  const { arrive, next, handled } = createRig();
  for (let request = 0; request < 40; request += 1) arrive('flood');
  await next();
  for (let before = handled.length; before < 40; before = handled.length) {
    expect((await next()).length).toBeLessThanOrEqual(2 * 3);
  }
});

it('one of somebody who asks for little comes before those of somebody who asks for much', async () => {
  const { arrive, next } = createRig();
  for (let request = 0; request < 40; request += 1) arrive('flood');
  for (let iteration = 0; iteration < 3; iteration += 1) await next();
  arrive('other');
  expect([...(await next()), ...(await next())]).toContain('other');
});
