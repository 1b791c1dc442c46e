import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../../src/app/app.ts';
import type { Clock } from '../../src/edges.ts';
import { formatHostPort } from '../../src/net/host-port.ts';
import { deploy } from '../support/cluster/deployed.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import { forElection, inNamespaces, inTheCluster, namespaces, requiredBy } from '../support/cluster/required-rights.ts';
import { auditedRequests, auditFlags, auditPolicy } from '../support/cluster/rights.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type AdsClient, createAdsClient } from '../support/nodes/ads-client.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { quickSettings } from '../support/worlds/running-world.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

const account = 'system:serviceaccount:kgateway-system:gatehouse';

/** An Event is counted again after a minute: twenty times the haste makes that three seconds. */
const haste = 20;
const begun = systemClock.now();
const hurriedClock: Clock = {
  now: () => begun + (systemClock.now() - begun) * haste,
  after: (milliseconds, run) => systemClock.after(milliseconds / haste, run),
};

/** What a real API server was asked for under the shipped roles. */
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
    // A list of Namespaces that is refused is how it learns that it may not know their labels.
    ['namespaced', ['default'], requiredBy(inNamespaces, inTheCluster, forElection), ['list namespaces']],
  ])(
    '%s: every right of the table is asked for, and no other',
    { timeout: 120_000 },
    async (variant, watched, required, refused) => {
      await api.kubectl(['apply', '-k', join(deploy, variant)]);
      await api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
      await api.kubectl(['apply', '--filename=deploy/examples/guide']);
      const before = auditedRequests(log, account).length;
      const since = (): ReturnType<typeof auditedRequests> => auditedRequests(log, account).slice(before);
      const unasked = (): readonly string[] => {
        const asked = new Set(since().flatMap(({ takes }) => takes));
        return required.filter((right) => !asked.has(right));
      };
      const app = await start(api, watched);
      const client = createAdsClient(formatHostPort(app.listening.xds));
      try {
        await polled(
          async () => {
            await refuseOnce(client);
            return unasked().length === 0 ? true : undefined;
          },
          () => `never asked for: ${unasked().join(', ')}`,
        );
      } finally {
        client.close();
        await app.stop();
        // The next one finds nothing that is as it should be already.
        await api.kubectl(['delete', '--filename=deploy/examples/guide']);
        await api.kubectl(['delete', 'lease/gatehouse-leader', '--namespace=kgateway-system', '--ignore-not-found']);
      }
      const denied = since().filter(({ allowed }) => !allowed);
      expect([...new Set(denied.map(({ takes: [first] }) => first))]).toEqual(refused);
    },
  );
});

/** A control plane with the token of the shipped account, which has read everything. */
async function start(api: KubeApiServer, namespaces: readonly string[]): Promise<RunningApp> {
  const token = await api.serviceAccountToken('kgateway-system', 'gatehouse');
  const log = createRecordedLog();
  const app = await startApp(
    {
      ...quickSettings,
      namespaces,
      input: {
        from: 'cluster',
        access: { by: 'kubeconfig', path: api.kubeconfig({ token }), context: undefined },
        statusWriting: { by: 'leader', leaseNamespace: 'kgateway-system' },
        quiet: { idle: 10, ceiling: 200 },
      },
    },
    { clock: hurriedClock, random: Math.random, log },
  );
  await log.line('synced: everything');
  return app;
}

/** A node refuses what it is sent: that is told in an Event, and counted there when it happens again. */
async function refuseOnce(client: AdsClient): Promise<void> {
  const stream = client.open();
  const response = await stream.request(targetType, { node: nodeOf('default/mcp-gateway') }).next();
  stream.nack(response);
  await stream.untilSilence();
  stream.cancel();
}
