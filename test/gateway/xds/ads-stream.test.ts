import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openAdsStream } from '../../../src/gateway/xds/ads-stream.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';

/** Opens a stream to what listens there. Returns why it ended. */
async function endOfStream(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = { host: '127.0.0.1', port: portOf(server.address()) };
  const security = { tls: undefined, token: undefined };
  const { promise, resolve } = Promise.withResolvers<string>();
  const events = { connected: () => {}, response: () => {}, ended: resolve };
  const stream = openAdsStream({ authority: address, address, security }, events, 200);
  onTestFinished(stream.close);
  return promise;
}

it('ends when the control plane accepts connections and says nothing', async () => {
  const silent = createServer((socket) => void onTestFinished(() => void socket.destroy()));
  expect(await endOfStream(silent)).toBe('it accepts no HTTP/2 connection within 0.2 s');
});

it('ends with the name of the setting when a port for something else listens there', async () => {
  expect(await endOfStream(createHttpServer())).toMatch(
    /^UNAVAILABLE: .*Protocol error.*[^.]: what listens there speaks no gRPC; xds_address names the port for gateways, 9977 by/,
  );
});
