import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../../src/app/app.ts';
import type { ServeSettings } from '../../src/app/settings.ts';
import type { Clock } from '../../src/edges.ts';
import { objectIn, textIn } from '../../src/json/json.ts';
import { formatHostPort } from '../../src/net/host-port.ts';
import { createAuthority } from '../support/api-server/kube-certificates.ts';
import { deploy, overlayText } from '../support/cluster/deployed.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import {
  forElection,
  forOperators,
  forTokens,
  inNamespaces,
  inTheCluster,
  namespaces,
  requiredBy,
} from '../support/cluster/required-rights.ts';
import { auditedRequests, auditFlags, auditPolicy } from '../support/cluster/rights.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type AdsClient, createAdsClient } from '../support/nodes/ads-client.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { quickSettings } from '../support/worlds/running-world.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

const account = 'system:serviceaccount:kgateway-system:gatehouse';

/** An Event is counted again after a minute: at twenty times the speed after three seconds. */
const haste = 20;
const begun = systemClock.now();
const hurriedClock: Clock = {
  now: () => begun + (systemClock.now() - begun) * haste,
  monotonic: () => systemClock.monotonic() * haste,
  after: (milliseconds, run) => systemClock.after(milliseconds / haste, run),
};

/** The requests that a real API server received under the shipped roles. */
describe.skipIf(kubeAssets() === undefined)('under the shipped roles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-rights-'));
  const log = join(folder, 'audit.log');
  let api: KubeApiServer;
  beforeAll(async () => {
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, auditPolicy);
    api = await startKubeApiServer({ flags: auditFlags(policy, log) });
    await api.installGatewayApi('v1.6.1');
  });
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it.each(variants)(
    '$folder: requests use every right of the table, and no other',
    { timeout: 120_000 },
    async ({ folder: variant, settings, required, refused, uses }) => {
      await apply(api, folder, variant);
      await api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
      await api.kubectl(['apply', '--filename=deploy/examples/guide']);
      const before = auditedRequests(log, account).length;
      const since = (): ReturnType<typeof auditedRequests> => auditedRequests(log, account).slice(before);
      const unasked = (): readonly string[] => {
        const asked = new Set(since().flatMap(({ takes }) => takes));
        return required.filter((right) => !asked.has(right));
      };
      const app = await start(api, settings(folder));
      const headers = uses === 'tokens of nodes' ? { authorization: `Bearer ${await gatewayToken(api)}` } : {};
      const client = createAdsClient(formatHostPort(app.listening.xds));
      try {
        await polled(
          async () => {
            if (uses === 'tokens of operators') await scrape(app, await api.serviceAccountToken('default', 'scraper'));
            await refuseOnce(client, headers);
            return unasked().length === 0 ? true : undefined;
          },
          () => `never asked for: ${unasked().join(', ')}`,
        );
      } finally {
        client.close();
        await app.stop();
        // Clears the statuses, so that the next control plane has something to write.
        await api.kubectl(['delete', '--filename=deploy/examples/guide']);
        await api.kubectl(['delete', 'lease/gatehouse-leader', '--namespace=kgateway-system', '--ignore-not-found']);
        await takeBack(api, variant);
      }
      const requests = since();
      const denied = requests.filter(({ allowed }) => !allowed);
      expect([...new Set(denied.map(({ takes: [first] }) => first))]).toEqual(refused);
      const reviewed = requests.flatMap(({ takes }) => takes).filter((right) => reviews.includes(right));
      expect([...new Set(reviewed)].sort()).toEqual(required.filter((right) => reviews.includes(right)));
    },
  );
});

interface Variant {
  /** In `deploy/`; a component is added to the base. */
  readonly folder: string;
  readonly settings: (folder: string) => Partial<ServeSettings>;
  readonly required: readonly string[];
  /** Requests that the API server refuses, because this variant does without. */
  readonly refused: readonly string[];
  readonly uses?: 'tokens of nodes' | 'tokens of operators';
}

const clusterWide = [inNamespaces, inTheCluster, namespaces, forElection];

/** Granted in the variants that use them alone. */
const reviews = requiredBy(forOperators);

const variants: readonly Variant[] = [
  { folder: '.', settings: () => ({}), required: requiredBy(...clusterWide), refused: [] },
  {
    folder: 'components/xds-auth-token',
    settings: () => ({ xdsAuth: tokensDemanded }),
    required: requiredBy(...clusterWide, forTokens),
    refused: [],
    uses: 'tokens of nodes',
  },
  {
    folder: 'components/debug-auth-token',
    settings: operatorsDemanded,
    required: requiredBy(...clusterWide, forOperators),
    refused: [],
    uses: 'tokens of operators',
  },
  {
    folder: 'namespaced',
    settings: () => ({ namespaces: ['default'] }),
    required: requiredBy(inNamespaces, inTheCluster, forElection),
    // The control plane finds out by a refused list of Namespaces that it may not read their labels.
    refused: ['list namespaces'],
  },
];

const tokensDemanded: ServeSettings['xdsAuth'] = {
  kind: 'required',
  tokens: { audience: 'gatehouse', keys: undefined },
  certificates: undefined,
};

/** The metrics listener outside of loopback, which asks for a token. */
function operatorsDemanded(folder: string): Partial<ServeSettings> {
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const { cert, key } = createAuthority('operators').issue();
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return {
    metricsListen: { host: '0.0.0.0', port: 0 },
    debugAuth: { kind: 'token', files, minVersion: 'TLSv1.3' },
  };
}

/** Asks for the metrics with a token; the answer may be 403, which takes the same reviews. */
function scrape(app: RunningApp, token: string): Promise<void> {
  const { port } = app.listening.metrics;
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/metrics', headers, agent: false, rejectUnauthorized: false };
    request(options, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

/** Takes back what a component grants: the next variant must not live on it. */
async function takeBack(api: KubeApiServer, variant: string): Promise<void> {
  if (!variant.startsWith('components/')) return;
  const files = readdirSync(join(deploy, variant)).filter((file) => file !== 'kustomization.yaml');
  for (const file of files) await api.kubectl(['delete', '-f', join(deploy, variant, file)]);
}

/** Applies a variant, or the base with a component. */
async function apply(api: KubeApiServer, folder: string, variant: string): Promise<void> {
  if (!variant.startsWith('components/')) {
    await api.kubectl(['apply', '-k', join(deploy, variant)]);
    return;
  }
  writeFileSync(join(folder, 'kustomization.yaml'), overlayText(folder, ['.'], [variant]));
  await api.kubectl(['apply', '-k', folder]);
}

/** A token for the audience of the control plane, of the account that the guide's Gateway has by default. */
async function gatewayToken(api: KubeApiServer): Promise<string> {
  await api.serviceAccountToken('default', 'mcp-gateway');
  const { json, text } = await api.request('/api/v1/namespaces/default/serviceaccounts/mcp-gateway/token', {
    method: 'POST',
    body: { spec: { audiences: ['gatehouse'], expirationSeconds: 86_400 } },
  });
  const token = textIn(objectIn(json, 'status'), 'token');
  if (token === undefined) throw new Error(text);
  return token;
}

/** A synced control plane with the shipped service account's token. */
async function start(api: KubeApiServer, settings: Partial<ServeSettings>): Promise<RunningApp> {
  const token = await api.serviceAccountToken('kgateway-system', 'gatehouse');
  const log = createRecordedLog();
  const app = await startApp(
    {
      ...quickSettings,
      ...settings,
      input: {
        from: 'cluster',
        access: { by: 'kubeconfig', path: api.kubeconfig({ token }), context: undefined },
        statusWriting: { by: 'leader', leaseNamespace: 'kgateway-system' },
        debounce: { idle: 10, ceiling: 200 },
      },
    },
    { clock: hurriedClock, random: Math.random, log, logLevel: { level: 'info', lostLines: 0 } },
  );
  await log.line('synced: everything');
  return app;
}

/** Connects a node that sends NACKs: the first creates an Event, the next ones are counted in it. */
async function refuseOnce(client: AdsClient, headers: Readonly<Record<string, string>>): Promise<void> {
  const stream = client.open({ headers });
  const response = await stream.request(targetType, { node: nodeOf('default/mcp-gateway') }).next();
  stream.nack(response);
  await stream.untilSilence();
  stream.cancel();
}
