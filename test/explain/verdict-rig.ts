import fc from 'fast-check';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import type { AccessRequest, Claims } from '../../src/explain/model.ts';
import { DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { changeOf } from '../../src/source/resource-change.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { defaultSettings, type Manifest, readManifest } from '../support/worlds/translated-world.ts';

/** The Configs that a node of the Gateway receives, decoded from their bytes. */
export function configsOf({ snapshots }: Pipeline, gateway: string): ReadonlyMap<string, Config> {
  const configs = new Map<string, Config>();
  for (const view of snapshots.of(gateway).views.values()) {
    for (const { typeUrl, name, sotwField } of view.resources()) {
      const [resource] = DiscoveryResponse.decode(sotwField).resources;
      if (typeUrl === configType && resource !== undefined) configs.set(name, Config.decode(resource.value));
    }
  }
  return configs;
}

const oddClaims = fc.dictionary(
  fc.constantFrom('sub', 'email', '__proto__', 'constructor'),
  fc.oneof(
    fc.constantFrom<unknown>('me', 'you', '', 'system:serviceaccount:a:bot', 'system:serviceaccount:b:bot', 5, null),
    fc.constantFrom<unknown>(['me'], { sub: 'me' }, true),
  ),
  { maxKeys: 3 },
);
export const claims: fc.Arbitrary<Claims> = fc.oneof(
  oddClaims,
  fc.constantFrom<Claims>({ sub: 'me' }, { email: 'you' }, { sub: 'you', email: 'me' }),
);
export const request: fc.Arbitrary<AccessRequest> = fc.record({
  kind: fc.constantFrom('tool' as const, 'prompt' as const, 'resource' as const),
  name: fc.constantFrom(
    'a/s:run',
    'a/s:run',
    'a/s/81:run',
    'b/t:run',
    'b/s:x',
    'a/s:other',
    'a/s:',
    '*',
    'run',
    '',
    ':',
    'mcp://a/s/x',
  ),
});
export const gateway: fc.Arbitrary<string> = fc.constantFrom(
  'a/g',
  'a/g',
  'a/g',
  'a/h',
  'b/g',
  'b/h',
  'a/none',
  'default/gw',
  '',
);

/** A valid policy of rules that the questions often match. */
export const granting: fc.Arbitrary<Manifest> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('tool', 'prompt', 'resource'),
      name: fc.constantFrom('*', 'a/s:run', 'a/s/81:run', 'b/s:x'),
      values: fc.uniqueArray(fc.constantFrom('me', 'you'), { minLength: 1 }),
      claim: fc.constantFrom('sub', 'email'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((rules) => ({
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { namespace: 'a', name: 'granting' },
    spec: {
      targetRefs: [{ name: 'g' }, { name: 'h' }],
      rules: rules.map(({ kind, name, values, claim }) => ({
        matches: values.map((value) => ({ type: 'JWT', jwt: { claim, value } })),
        resource: { kind, name },
      })),
    },
  }));
/** The names of the targets that a node of the Gateway receives. */
export function targetsOf({ snapshots }: Pipeline, gateway: string): ReadonlySet<string> {
  return new Set([...(snapshots.of(gateway).views.get(targetType)?.resources() ?? [])].map(({ name }) => name));
}

export function pipelineOf(manifests: readonly Manifest[]): Pipeline {
  const pipeline = createPipeline(defaultSettings, { log: createRecordedLog(), counters: createRecordedCounters() });
  const changes = manifests.flatMap((manifest) => {
    const { kind, key, resource } = readManifest(manifest);
    return resource === undefined ? [] : [changeOf(kind, key, resource)];
  });
  pipeline.deliver({ changes, unlistedNamespaces: 'named', synced: true });
  return pipeline;
}
