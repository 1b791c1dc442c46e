import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServeSettings } from '../../src/app/settings.ts';
import { ClientStatusDiscoveryServiceService } from '../../src/gen/envoy/service/status/v3/csds.ts';
import { HealthService } from '../../src/gen/grpc/health/v1/health.ts';
import { createAuthority } from '../support/api-server/kube-certificates.ts';
import { deploy } from '../support/cluster/deployed.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { type ClusterWorld, type Replica, startClusterWorld } from '../support/cluster/world.ts';

const rights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: scraper }
rules:
- nonResourceURLs: [/metrics, /envoy.service.status.v3.ClientStatusDiscoveryService/*]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: scraper }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: scraper }
subjects: [{ kind: ServiceAccount, name: scraper, namespace: default }]
`;

const authority = createAuthority('operators');
let world: ClusterWorld;
let replica: Replica;
let scraper: string;
let stranger: string;

function get(
  listener: 'debug' | 'metrics',
  path: string,
  token?: string,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { port } = replica.app.listening[listener];
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request({ host: 'localhost', port, path, headers, ca: authority.cert, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

function http(): void {
  it('are for the kubelet without a token, and for nobody else', async () => {
    expect(await get('metrics', '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await get('metrics', '/metrics')).toMatchObject({
      status: 401,
      body: expect.stringContaining('show a token'),
    });
    expect(await get('debug', '/')).toMatchObject({ status: 401 });
    expect(await get('metrics', '/metrics', 'a.b.c')).toMatchObject({ status: 401 });
    expect(await get('debug', '/snapshots/xds', 'x'.repeat(9_000))).toMatchObject({ status: 401 });
  });

  it('are for those whose role names the URL, and tell others so', async () => {
    expect(await get('metrics', '/metrics', scraper)).toMatchObject({
      status: 200,
      body: expect.stringContaining('gatehouse_synced'),
    });
    expect(await get('metrics', '/metrics?x=y', scraper)).toMatchObject({ status: 200 });
    const refusal = await get('debug', '/snapshots/xds', scraper);
    expect(refusal.status).toBe(403);
    expect(refusal.body).toContain('system:serviceaccount:default:scraper');
    expect(refusal.body).toContain('a ClusterRole with nonResourceURLs allows it');
    expect(await get('metrics', '/metrics', stranger)).toMatchObject({ status: 403 });
  });

  it('do not speak plaintext', async () => {
    await expect(fetch(`http://127.0.0.1:${replica.app.listening.metrics.port}/healthz`)).rejects.toThrow();
  });
}

function admin(): void {
  it('ask callers of the admin service too, but for health', async () => {
    const { port } = replica.app.listening.admin;
    const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(authority.cert)));
    const call = (path: string, token?: string): Promise<string> =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
        const same = (bytes: Buffer): Buffer => bytes;
        client.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, (error) =>
          resolve(status[error?.code ?? status.OK] ?? 'unknown'),
        );
      });
    const fetched = ClientStatusDiscoveryServiceService.fetchClientStatus.path;
    expect([
      await call(HealthService.check.path),
      await call(fetched),
      await call(fetched, stranger),
      await call(fetched, scraper),
    ]).toEqual(['OK', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'OK']);
    client.close();
  });
}

describe.skipIf(kubeAssets() === undefined)(
  'listeners for operators outside of loopback, with --debug-auth=token',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-operators-'));

    beforeAll(async () => {
      const { cert, key } = authority.issue();
      writeFileSync(join(folder, 'tls.crt'), cert);
      writeFileSync(join(folder, 'tls.key'), key);
      world = await startClusterWorld();
      await world.api.kubectl(['apply', '-f', join(deploy, 'components/debug-auth-token/access-review.yaml')]);
      await world.apply(rights);
      [scraper, stranger] = await Promise.all([
        world.api.serviceAccountToken('default', 'scraper'),
        world.api.serviceAccountToken('default', 'stranger'),
      ]);
      const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
      const debugAuth: ServeSettings['debugAuth'] = { kind: 'token', files, minVersion: 'TLSv1.3' };
      const anywhere = { host: '0.0.0.0', port: 0 };
      const listeners = { debugListen: anywhere, metricsListen: anywhere, adminListen: anywhere };
      replica = await world.replica({ ...listeners, debugAuth });
      await replica.synced;
    }, 120_000);
    afterAll(async () => {
      rmSync(folder, { recursive: true });
      await world[Symbol.asyncDispose]();
    });

    describe('over HTTP', http);
    describe('over gRPC', admin);
  },
);
