import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openAdsStream } from '../../../src/gateway/xds/ads-stream.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';

it('ends when the control plane accepts connections and says nothing', async () => {
  const silent = createServer((socket) => void onTestFinished(() => void socket.destroy()));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const address = { host: '127.0.0.1', port: portOf(silent.address()) };
  const security = { tls: undefined, token: undefined };
  const { promise, resolve } = Promise.withResolvers<string>();
  const events = { connected: () => {}, response: () => {}, ended: resolve };
  const stream = openAdsStream({ authority: address, address, security }, events, 200);
  onTestFinished(stream.close);
  expect(await promise).toBe('it accepts no HTTP/2 connection within 0.2 s');
});
