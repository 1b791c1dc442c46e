import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../../src/app/app.ts';
import type { ServeSettings } from '../../src/app/settings.ts';
import type { Clock } from '../../src/edges.ts';
import { objectIn, textIn } from '../../src/json/json.ts';
import { formatHostPort } from '../../src/net/host-port.ts';
import { deploy, overlayText } from '../support/cluster/deployed.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import {
  forElection,
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

  it.each([
    ['.', [], requiredBy(inNamespaces, inTheCluster, namespaces, forElection), []],
    ['components/xds-auth-token', [], requiredBy(inNamespaces, inTheCluster, namespaces, forElection, forTokens), []],
    // The control plane finds out by a refused list of Namespaces that it may not read their labels.
    ['namespaced', ['default'], requiredBy(inNamespaces, inTheCluster, forElection), ['list namespaces']],
  ])(
    '%s: requests use every right of the table, and no other',
    { timeout: 120_000 },
    async (variant, watched, required, refused) => {
      await apply(api, folder, variant);
      await api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
      await api.kubectl(['apply', '--filename=deploy/examples/guide']);
      const before = auditedRequests(log, account).length;
      const since = (): ReturnType<typeof auditedRequests> => auditedRequests(log, account).slice(before);
      const unasked = (): readonly string[] => {
        const asked = new Set(since().flatMap(({ takes }) => takes));
        return required.filter((right) => !asked.has(right));
      };
      const asksNodes = variant.endsWith('xds-auth-token');
      const app = await start(api, watched, asksNodes ? tokensDemanded : quickSettings.xdsAuth);
      const headers = asksNodes ? { authorization: `Bearer ${await gatewayToken(api)}` } : {};
      const client = createAdsClient(formatHostPort(app.listening.xds));
      try {
        await polled(
          async () => {
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
      }
      const denied = since().filter(({ allowed }) => !allowed);
      expect([...new Set(denied.map(({ takes: [first] }) => first))]).toEqual(refused);
    },
  );
});

const tokensDemanded: ServeSettings['xdsAuth'] = {
  kind: 'required',
  tokens: { audience: 'gatehouse', keys: undefined },
  certificates: undefined,
};

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
async function start(
  api: KubeApiServer,
  namespaces: readonly string[],
  xdsAuth: ServeSettings['xdsAuth'],
): Promise<RunningApp> {
  const token = await api.serviceAccountToken('kgateway-system', 'gatehouse');
  const log = createRecordedLog();
  const app = await startApp(
    {
      ...quickSettings,
      xdsAuth,
      namespaces,
      input: {
        from: 'cluster',
        access: { by: 'kubeconfig', path: api.kubeconfig({ token }), context: undefined },
        statusWriting: { by: 'leader', leaseNamespace: 'kgateway-system' },
        debounce: { idle: 10, ceiling: 200 },
      },
    },
    { clock: hurriedClock, random: Math.random, log, logLevel: { level: 'info' } },
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
