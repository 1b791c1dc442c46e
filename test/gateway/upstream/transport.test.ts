import { expect, it } from 'vitest';
import type { TargetFetch } from '../../../src/gateway/model.ts';
import { createTransport } from '../../../src/gateway/upstream/transport.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

/** A target whose stream of notifications ends at once, after a `retry` field. */
function closing(retry: string): TargetFetch {
  return (_, init) => {
    const stream = new Response(`retry: ${retry}\n\n`, { headers: { 'content-type': 'text/event-stream' } });
    return Promise.resolve(init?.method === 'GET' ? stream : new Response(null, { status: 202 }));
  };
}

it.each([
  ['0', 1_000],
  ['5000', 5_000],
  ['99999999999', 30_000],
])('a target that sends "retry: %s" is reconnected to after %i ms, half of which is jitter', async (retry, pause) => {
  const clock = createManualClock();
  const url = new URL('http://target/mcp');
  const transport = createTransport(
    { transport: 'streamable-http', url },
    { fetch: closing(retry), clock, random: () => 0 },
  );
  await transport.start();
  await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await clock.armed();
  expect(clock.waiting()).toEqual([pause / 2]);
  await transport.close();
  expect(clock.waiting()).toEqual([]);
});
