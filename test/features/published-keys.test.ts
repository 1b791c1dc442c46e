import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { guideJwk } from '../support/processes/guide.ts';
import { openGateway, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

const policyWith = (uri: string): string => `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: signers, namespace: default }
spec:
  targetRefs: [{ name: gw }]
  jwt: { providers: [{ issuer: me, audiences: [me.com], jwks: { uri: "${uri}" } }] }
`;

it('keys that must not be fetched hold up nobody, and log, statuses and problems say why', async () => {
  const files = { 'a.yaml': together(openGateway, policyWith('https://127.0.0.1/jwks')) };
  await using world = await startWorld(files, { keyFetching: { allowHttp: true, allowPrivate: true } });
  expect(await world.log.line('keys cannot be fetched; nobody can authenticate with them')).toMatchObject({
    fields: { uri: 'https://127.0.0.1/jwks', reason: 'its host is 127.0.0.1, which is a loopback address' },
  });
  await world.log.line('synced: everything was read once');
  expect((await world.get('metrics', '/readyz')).status).toBe(200);
  expect((await world.get('metrics', '/metrics')).body).toContain('gatehouse_jwks_failing 1');
  expect((await world.get('debug', '/snapshots/xds')).body).toContain('kgateway.dev/JWTProvided');
  const { items } = JSON.parse((await world.get('debug', '/debug/problems')).body);
  expect(items).toContainEqual(
    expect.objectContaining({
      severity: 'warning',
      key: 'default/signers',
      message: expect.stringContaining('cannot be fetched: its host is 127.0.0.1'),
    }),
  );
});

/** An address of this machine that other machines may have too: the fetch refuses loopback whatever the flags. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

it.skipIf(address === undefined)('nodes are served when the issuers have answered, and not before', async () => {
  const asked = Promise.withResolvers<() => void>();
  const issuer = createServer((_, response) => {
    asked.resolve(() => response.end(JSON.stringify(guideJwk)));
  });
  await new Promise<void>((resolve) => issuer.listen(0, address, resolve));
  onTestFinished(() => void issuer.close());
  const bound = issuer.address();
  const uri = `http://${address}:${typeof bound === 'object' ? bound?.port : bound}/jwks`;
  const files = { 'a.yaml': together(openGateway, policyWith(uri)) };
  await using world = await startWorld(files, { keyFetching: { allowHttp: true, allowPrivate: true } });
  const answer = await asked.promise;
  expect((await world.get('metrics', '/readyz')).status).toBe(503);
  answer();
  await world.log.line('synced: everything was read once');
  expect((await world.get('metrics', '/readyz')).status).toBe(200);
  expect((await world.get('debug', '/snapshots/xds')).body).toContain(
    'The policy signers says who may sign tokens: me.',
  );
  const { policies } = JSON.parse((await world.get('debug', '/debug/graph?gateway=default/gw')).body);
  expect(policies.items).toEqual([{ policy: 'default/signers', attached: true, rules: 0, message: null }]);
});
