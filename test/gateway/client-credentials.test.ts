import { afterEach, beforeEach, expect, it } from 'vitest';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { RunningGateway } from '../../src/gateway/model.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { createIssuer, type Issuer } from '../support/gateway/issuer.ts';
import { initialize } from '../support/nodes/raw-client.ts';
import { type ScriptedAds, startScriptedAds } from '../support/nodes/scripted-ads.ts';

let ads: ScriptedAds;
let issuer: Issuer;
let gateway: RunningGateway;

beforeEach(async () => {
  ads = await startScriptedAds();
  issuer = await createIssuer('ES256', 'a');
  const jwks = { type: 'local', source: { type: 'inline', data: issuer.jwk } };
  const authn = { type: 'jwt', issuer: ['me'], audience: ['me.com'], jwks };
  const config = {
    type: 'xds',
    xds_address: `http://127.0.0.1:${ads.port}`,
    listener: { type: 'sse', host: '127.0.0.1', port: 0, authn },
  };
  const edges = { clock: systemClock, random: () => 0, log: createRecordedLog(), stdin: process.stdin };
  gateway = await startGateway(
    {
      config: JSON.stringify(config),
      mount: [],
      resolve: [],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
    },
    { ...edges, losses: { lostLines: 0 }, stdout: process.stdout },
  );
});
afterEach(async () => {
  await gateway.stop();
  ads.stop();
});

async function post(claims: object, body: object, sessionId?: string): Promise<Response> {
  const exp = Math.floor(Date.now() / 1_000) + 300;
  const headers = {
    authorization: `Bearer ${await issuer.sign({ iss: 'me', aud: 'me.com', exp, ...claims })}`,
    accept: '*/*',
    'content-type': 'application/json',
    ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
  };
  const url = `http://127.0.0.1:${gateway.listener?.port}/mcp`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.body?.cancel();
  return response;
}

it.each([
  ['client_id', { client_id: 'agent' }, { client_id: 'other' }],
  ['azp', { azp: 'agent' }, { azp: 'other' }],
  ['its claims', { scope: 'tools', tenant: 't' }, { scope: 'tools', tenant: 'u' }],
])('a client without a subject keeps its session when its token is refreshed: %s', async (_, client, other) => {
  const opened = await post({ ...client, jti: '1' }, initialize());
  const id = opened.headers.get('mcp-session-id') ?? '';
  expect([opened.status, id.length]).toEqual([200, 32]);
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const iat = Math.floor(Date.now() / 1_000);
  expect((await post({ ...client, jti: '2', iat }, ping, id)).status).toBe(200);
  // As for a session that does not exist, so that a client begins a new one.
  expect((await post({ ...other, jti: '3' }, ping, id)).status).toBe(404);
  expect((await post({ ...client, jti: '4', sub: 'agent' }, ping, id)).status).toBe(404);
  expect((await post({ ...client, jti: '5' }, ping, id)).status).toBe(200);
});
