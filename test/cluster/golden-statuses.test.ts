import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kinds } from '../../src/resources/resources.ts';
import type { GatewayClassStatus, GatewayStatus, PolicyStatus } from '../../src/translate/model.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { goldenCaseNames, readGoldenCase } from '../support/worlds/golden-cases.ts';
import { createTranslatedWorld, type TranslatedWorld } from '../support/worlds/translated-world.ts';
import { throughCluster } from './golden-cluster.ts';

type Status = GatewayClassStatus | GatewayStatus | PolicyStatus;

describe.skipIf(kubeAssets() === undefined)('every status of the golden corpus', () => {
  let cluster: KubeApiServer;
  beforeAll(async () => {
    cluster = await startKubeApiServer();
    await cluster.installOwnCrds();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  // The second version is installed over the first, as in an upgrade.
  it.each(['v1.0.0', 'v1.6.1'] as const)(
    'fits the schemas of the Gateway API %s and of our own kinds',
    async (version) => {
      await cluster.installGatewayApi(version);
      const [refused, written]: [string[], Set<string>] = [[], new Set()];
      for (const name of goldenCaseNames()) {
        const { manifests, settings } = readGoldenCase(name);
        await throughCluster(cluster, manifests, async (stored) => {
          const world = createTranslatedWorld(settings);
          world.apply(...stored);
          for (const status of statusesOf(world)) {
            const { status: code, text } = await write(cluster, status);
            if (code !== 200) refused.push(`${name}: ${text}`);
            written.add(status.kind);
          }
        });
      }
      expect(refused).toEqual([]);
      expect([...written].sort()).toEqual(['Gateway', 'GatewayClass', 'MCPAuthPolicy']);
    },
  );
});

function statusesOf({ translation }: TranslatedWorld): readonly Status[] {
  const { gatewayClassStatuses, gatewayStatuses, policyStatuses } = translation;
  return [gatewayClassStatuses, gatewayStatuses, policyStatuses].flatMap((statuses) =>
    [...statuses.entries()].map(([, status]): Status => status),
  );
}

/** What a condition lacks until it is written is the time of its last change. */
function write(cluster: KubeApiServer, { kind, name, ...rest }: Status): ReturnType<KubeApiServer['request']> {
  const { apiVersion, plural } = kinds[kind];
  const scope = 'namespace' in rest ? `/namespaces/${rest.namespace}` : '';
  const body = JSON.parse(JSON.stringify({ status: { ...rest, namespace: undefined } }), (_, value) =>
    isCondition(value) ? { ...value, lastTransitionTime: '2026-01-01T00:00:00Z' } : value,
  );
  return cluster.request(`/apis/${apiVersion}${scope}/${plural}/${name}/status`, {
    method: 'PATCH',
    type: 'application/merge-patch+json',
    body,
  });
}

function isCondition(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'reason' in value;
}
