import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { encode } from '../../src/app/encoding/encoding.ts';
import { Resource } from '../../src/gen/agentgateway/dev/resource/resource.ts';
import { DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import type { View } from '../../src/snapshot/model.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { type GoldenCase, goldenCaseNames, goldenFolder, readGoldenCase } from '../support/worlds/golden-cases.ts';
import { createTranslatedWorld } from '../support/worlds/translated-world.ts';

/**
 * What nodes of agentgateway are sent for the inputs of the golden corpus: `agentgateway/<case>.yaml` beside the outputs
 * of the translation. `npm run test:update` rewrites these files too.
 */
const folder = join(goldenFolder, 'agentgateway');
const cases = goldenCaseNames();
const { typeUrl } = agentgateway.resourceType;

describe('the golden corpus in the dialect of agentgateway', () => {
  test.each(cases)('%s', async (name) => {
    await expect(servedText(readGoldenCase(name))).toMatchFileSnapshot(join(folder, `${name}.yaml`));
  });

  test('has no output without an input', () => {
    const orphans = readdirSync(folder).filter((file) => !cases.includes(file.slice(0, -'.yaml'.length)));
    if (expect.getState().snapshotState.snapshotUpdateState === 'all') {
      for (const orphan of orphans) rmSync(join(folder, orphan));
    } else expect(orphans).toEqual([]);
  });
});

/** The resources of each Gateway by name. */
function servedText({ settings, unlistedNamespaces, manifests }: GoldenCase): string {
  const { graph, translation, setUnlisted, apply } = createTranslatedWorld(settings, false);
  const { snapshots } = encode(graph, translation);
  snapshots.apply(setUnlisted(unlistedNamespaces));
  snapshots.apply(apply(...manifests));
  snapshots.request(typeUrl);
  const served = [...snapshots.gateways()].sort().map((gateway) => {
    const view = snapshots.of(gateway).views.get(typeUrl);
    return [gateway, view === undefined ? {} : resourcesIn(view)] as const;
  });
  return stringify(Object.fromEntries(served), { lineWidth: 0 });
}

function resourcesIn(view: View): Readonly<Record<string, unknown>> {
  const resources = [...view.resources()].map(({ name, sotwField }) => {
    const [message] = DiscoveryResponse.decode(sotwField).resources;
    return [name, Resource.toJSON(Resource.decode(message?.value ?? Buffer.alloc(0)))] as const;
  });
  return Object.fromEntries(resources.sort(([a], [b]) => (a < b ? -1 : 1)));
}
