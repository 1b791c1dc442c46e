import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGateway } from '../../../src/gateway/gateway.ts';
import type { RunningGateway } from '../../../src/gateway/model.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';
import { guideJwk } from '../../support/processes/guide.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = createAuthority('authority of issuers');
const issuer = 'https://issuer.example';

/** An issuer with TLS that publishes the guide's key, with or without metadata. */
async function startIssuer(): Promise<number> {
  const server = createServer(authority.issue({ names: ['issuer.example'] }), (request, response) => {
    if (request.url === '/keys') return void response.end(JSON.stringify(guideJwk));
    response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return portOf(server.address());
}

interface Started {
  readonly gateway: RunningGateway;
  readonly clock: ManualClock;
  readonly log: RecordedLog;
}

/** A gateway with this source of keys, whose control plane is away. */
async function start(jwks: object): Promise<Started> {
  const [clock, log] = [createManualClock(), createRecordedLog()];
  const authn = { type: 'jwt', audience: ['me'], issuers: [{ issuer, jwks }] };
  const gateway = await startGateway(
    {
      config: JSON.stringify({
        type: 'xds',
        xds_address: 'http://127.0.0.1:1',
        listener: { type: 'sse', host: '127.0.0.1', port: 0, authn },
      }),
      mount: [],
      resolve: [`issuer.example:443=127.0.0.1:${await startIssuer()}`],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: {},
    },
    { clock, random: () => 0, log, losses: { lostLines: 0 }, stdin: new PassThrough(), stdout: new PassThrough() },
  );
  onTestFinished(() => gateway.stop());
  return { gateway, clock, log };
}

function caFile(certificate: string): string {
  const path = join(temporaryFolder(), 'ca.crt');
  writeFileSync(path, certificate);
  return path;
}

const discovery = { type: 'discovery' };
const remote = { type: 'remote', url: `${issuer}/keys` };

describe('keys of an issuer with TLS', () => {
  it.each([discovery, remote])('come from a certificate of the authorities that are named for it: %j', async (jwks) => {
    const { log } = await start({ ...jwks, ca: caFile(authority.cert) });
    await log.line('keys were fetched');
  });

  it.each([
    ['no authorities named', () => ({})],
    ['others named', () => ({ ca: caFile(createAuthority('another').cert) })],
  ])('do not come from a certificate of an unknown authority, with %s', async (_, ca) => {
    const { log } = await start({ ...remote, ...ca() });
    expect((await log.line('cannot be used')).message).toContain(
      'issuer.example:443 has a certificate of an authority that is not known here: name it in ca beside the URL of the keys',
    );
  });

  it('come once the file names the right authority, and stay in use when the file is broken', async () => {
    const path = caFile(createAuthority('another').cert);
    const { log, clock } = await start({ ...discovery, ca: path });
    await log.line('cannot be used');
    writeFileSync(path, authority.cert);
    await settled();
    clock.advance(10_000);
    await log.line('keys were fetched');
    writeFileSync(path, 'no certificate');
    await settled();
    clock.advance(60_000);
    expect((await log.line('the last good keys stay in use')).message).toContain(`${path}:1`);
  });

  it('keep the gateway from starting when the file with the authorities cannot be used', async () => {
    const path = caFile('no certificate');
    await expect(start({ ...remote, ca: path })).rejects.toMatchObject({
      reason: 'environment',
      message: expect.stringContaining(`listener.authn.jwks.ca: ${path}:1`),
    });
    await expect(start({ ...remote, ca: `${path}.missing` })).rejects.toThrow('cannot be read: ENOENT');
    await expect(start({ ...remote, url: 'http://issuer.example/keys', ca: path })).rejects.toThrow(
      'jwks.ca: has no effect on keys that come without TLS',
    );
  });
});

/** Lets the request that has failed arm the timer of the next one. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
