import { createServer, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { type AdminParts, createAdmin } from '../../../src/gateway/admin/admin.ts';
import { listen } from '../../../src/net/listener/http-listener.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

it('the requests of one address leave room for those of another, and keep no probe waiting', async () => {
  const { promise: metricsText, resolve: release } = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const counted: unknown[] = [];
  let open = 0;
  const log = createRecordedLog();
  const metrics: Pick<AdminParts['metrics'], 'contentType' | 'count' | 'text'> = {
    contentType: 'text/plain',
    text() {
      open += 1;
      if (open === 48) asked.resolve();
      return metricsText;
    },
    count: (name, labels) => counted.push([name, labels]),
  };
  const send = await startAdmin({ metrics, log });
  const waiting = Array.from({ length: 48 }, () => send('/metrics'));
  await asked.promise;
  expect(await send('/metrics')).toEqual([503, 'Too many requests are being answered: try again.\n']);
  expect(await send('/metrics')).toMatchObject([503, expect.anything()]);
  expect(await send('/healthz')).toEqual([200, 'ok\n']);
  expect(await send('/readyz')).toMatchObject([200, 'ok\n']);
  const other = send('/metrics', '127.0.0.2');
  release('of all');
  expect(await other).toMatchObject([200, 'of all']);
  for (const answer of waiting) expect(await answer).toMatchObject([200, 'of all']);
  expect(await send('/metrics')).toMatchObject([200, 'of all']);
  const refused = ['gatehouse_gateway_requests_refused_total', { reason: 'admin' }];
  expect(counted).toEqual([refused, refused]);
  expect(log.lines.map(({ message }) => message)).toEqual([
    'requests for admin pages are refused: an address, or all together, have too many open',
  ]);
});

/** Serves the pages of a gateway of which nothing else is known; returns what asks for one. */
async function startAdmin({ metrics, log }: { metrics: object; log: AdminParts['log'] }) {
  const parts = { metrics, log, clock: createManualClock(), notReady: () => undefined };
  const server = createServer(createAdmin(parts as unknown as AdminParts));
  onTestFinished(() => void server.close().closeAllConnections());
  const { host, port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return async (path: string, localAddress = '127.0.0.1') => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get({ host, port, path, localAddress }, resolve).on('error', reject);
    const response = await promise;
    return [response.statusCode, await text(response)];
  };
}
