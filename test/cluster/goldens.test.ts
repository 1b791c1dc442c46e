import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { envtestVersion } from '../support/cluster/assets.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { type GoldenCase, goldenCaseNames, goldenFolder, readGoldenCase } from '../support/worlds/golden-cases.ts';
import { createTranslatedWorld, type Manifest } from '../support/worlds/translated-world.ts';
import { translationText } from '../support/worlds/translation-text.ts';
import { throughCluster } from './golden-cluster.ts';

/** The addresses that Services of the corpus ask for are in here. */
const flags = ['--service-cluster-ip-range=10.96.0.0/16,2001:db8::/112'];

describe.skipIf(kubeAssets() === undefined)('the golden corpus in a real API server', () => {
  let cluster: KubeApiServer;
  beforeAll(async () => {
    cluster = await startKubeApiServer({ flags });
    await cluster.installOwnCrds();
    await cluster.installGatewayApi('v1.6.1');
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('means what it means in files, but for what goldens.yaml lists', async ({ skip }) => {
    const { json } = await cluster.request('/version');
    // The file has the words of one version.
    skip(
      !JSON.stringify(json).includes(`"${envtestVersion()}"`),
      'another version than the one that goldens.yaml is of',
    );
    const exceptions: Record<string, unknown> = {};
    for (const name of goldenCaseNames()) {
      const exception = await compare(cluster, name);
      if (exception !== undefined) exceptions[name] = exception;
    }
    await expect(HEAD + stringify(exceptions, { lineWidth: 0 })).toMatchFileSnapshot('goldens.yaml');
  });
});

const HEAD = `# Where the corpus of test/golden meets an API server that has our CRDs and the Gateway API:
# "refused" are the objects that it does not take, in its words. The others mean the same as in files, but for "changed":
# what is said of the files alone (-), and what is said of the cluster alone (+), because the API server drops unknown
# fields and nulls and fills in defaults. \`npm run test:update\` writes this file; read what it changes.
`;

/** How a case differs, or undefined. */
async function compare(cluster: KubeApiServer, name: string): Promise<unknown> {
  const golden = readGoldenCase(name);
  const { taken, stored, refused } = await throughCluster(cluster, golden.manifests);
  const isWhole = taken.length === golden.manifests.length;
  const expected = isWhole ? readFileSync(join(goldenFolder, `${name}.out.yaml`), 'utf8') : textOf(golden, taken);
  const changed = differences(withoutGenerations(expected), withoutGenerations(textOf(golden, stored)));
  if (isWhole && changed.length === 0) return undefined;
  return { ...(isWhole ? {} : { refused }), ...(changed.length > 0 ? { changed } : {}) };
}

function textOf({ settings, unlistedNamespaces }: GoldenCase, manifests: readonly Manifest[]): string {
  const world = createTranslatedWorld(settings);
  world.setUnlisted(unlistedNamespaces);
  world.apply(...manifests);
  return stringify(translationText(world.translation), { lineWidth: 0 });
}

/** Every object of an API server has a generation, and few of a file have one. */
function withoutGenerations(text: string): string {
  return text.replaceAll(/ \(generation \d+\)/g, '');
}

function differences(expected: string, found: string): readonly string[] {
  if (expected === found) return [];
  const [before, after] = [expected.split('\n'), found.split('\n')];
  const lines = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line.trim()}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
  return lines.length > 0 ? lines : ['the same lines in another order or place'];
}
