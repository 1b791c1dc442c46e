import { expect, it, onTestFinished } from 'vitest';
import { startGateway } from '../../src/gateway/gateway.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { startScriptedAds } from '../support/nodes/scripted-ads.ts';
import { configType, garbage, targetType } from './xds/resources.ts';

it('/readyz succeeds when every kind was received, also one of which a part was refused', async () => {
  const ads = await startScriptedAds();
  const listener = { type: 'sse', host: '127.0.0.1', port: 0 };
  const gateway = await startGateway(
    {
      config: JSON.stringify({ type: 'xds', xds_address: `http://127.0.0.1:${ads.port}`, listener }),
      mount: [],
      resolve: [],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
    },
    {
      clock: systemClock,
      random: () => 0,
      log: createRecordedLog(),
      losses: { lostLines: 0 },
      stdin: process.stdin,
      stdout: process.stdout,
    },
  );
  onTestFinished(async () => {
    await gateway.stop();
    ads.stop();
  });
  const ready = async (): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${gateway.admin.port}/readyz`);
    return [response.status, await response.text()];
  };
  expect(await ready()).toEqual([503, 'waiting for the control plane to send Target and Config\n']);
  const stream = await ads.stream();
  await stream.request();
  await stream.request();
  stream.send({ typeUrl: targetType, nonce: 't1', resources: [garbage('default/x', targetType)] });
  await stream.request();
  expect(await ready()).toEqual([503, 'waiting for the control plane to send Config\n']);
  stream.send({ typeUrl: configType, nonce: 'c1' });
  await stream.request();
  expect(await ready()).toEqual([200, 'ok\n']);
});
