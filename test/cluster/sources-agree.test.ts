import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { connectKube } from '../../src/kube/kube.ts';
import type { KubeConnection } from '../../src/kube/model.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../src/source/files/manifest-store.ts';
import type { Batch } from '../../src/source/model.ts';
import { clusterSource } from '../../src/source/source.ts';
import type { TranslationSettings } from '../../src/translate/model.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { goldenCaseNames, readGoldenCase } from '../support/worlds/golden-cases.ts';
import { createTranslatedWorld } from '../support/worlds/translated-world.ts';
import { translationText } from '../support/worlds/translation-text.ts';
import { throughCluster } from './golden-cluster.ts';

/** What `kubectl get -o yaml` returns means as a file what the API server means as a cluster. */

const kinds = 'gatewayclasses,gatewayparameters,gateways,mcpauthpolicies,services,namespaces';
const flags = ['--service-cluster-ip-range=10.96.0.0/16,2001:db8::/112'];
const log = createRecordedLog();
const counters = createRecordedCounters();

let api: KubeApiServer;
let connection: KubeConnection;

beforeAll(async () => {
  if (kubeAssets() === undefined) return;
  api = await startKubeApiServer({ flags });
  await api.installOwnCrds();
  await api.installGatewayApi('v1.6.1');
  const access = { by: 'kubeconfig', path: api.kubeconfig(), context: undefined } as const;
  connection = await connectKube(access, { version: 'test', clock: systemClock, counters });
});
afterAll(async () => {
  await connection?.stop();
  await api?.[Symbol.asyncDispose]();
});

/** What follows from one batch; nothing is said of the versions of CRDs, which files do not have. */
function meaning({ changes, unlistedNamespaces }: Batch, settings: Partial<TranslationSettings>): object {
  const world = createTranslatedWorld(settings);
  world.setUnlisted(unlistedNamespaces ?? 'unknown');
  world.graph.commit(() => {
    for (const change of changes) world.inputs.apply(change);
  });
  return translationText(world.translation);
}

function readFile(text: string): Batch {
  const files = new ManifestStore({ roots: ['all.yaml'], log, counters });
  files.rootFound(0);
  files.setFile({ root: 0, name: 'all.yaml', path: 'all.yaml', realPath: '/all.yaml' }, parseManifest(text, []));
  const batch = files.takeBatch();
  if (batch === undefined) throw new Error('the file has nothing to tell');
  return batch;
}

/** The first batch, which has everything. */
async function readCluster(): Promise<Batch> {
  const source = clusterSource({ connection, clock: systemClock, random: Math.random, log, counters });
  const { promise, resolve } = Promise.withResolvers<Batch>();
  const stop = await source.start(resolve);
  const batch = await promise;
  await stop();
  return batch;
}

describe.skipIf(kubeAssets() === undefined)('a cluster and its objects in a file', () => {
  it.each(goldenCaseNames())('mean the same: %s', async (name) => {
    const { manifests, settings } = readGoldenCase(name);
    await throughCluster(api, manifests, async () => {
      const [live, text] = [await readCluster(), await api.kubectl(['get', kinds, '-A', '-o', 'yaml'])];
      expect(live).toMatchObject({ synced: true });
      expect(meaning(live, settings)).toEqual(meaning(readFile(text), settings));
    });
  });
});
