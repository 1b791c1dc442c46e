import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import { decide, indexRules } from '../../src/authz/authz.ts';
import { DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { ResourceChange } from '../../src/source/model.ts';
import { AgentgatewayDataPlane, type Call, type Release } from '../support/agentgateway/data-plane.ts';
import { dataPlaneOf, ScriptedStream } from '../support/agentgateway/scripted-stream.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { defaultSettings, type Manifest, readManifest } from '../support/worlds/translated-world.ts';

const gatewayApi = 'gateway.networking.k8s.io/v1';
const gatewayKey = 'default/gw';

/** The calls whose answers are compared. */
const calls: readonly Call[] = [8080, 9090].flatMap((port) =>
  ['a.default', 'b.default', 'a.other', '90.a.default'].flatMap((target) =>
    (['tool', 'prompt'] as const).flatMap((kind) =>
      ['me', 'you', undefined].map((sub) => ({
        port,
        target,
        kind,
        name: 'x',
        ...(sub && { token: { kid: 'k', claims: { iss: 'me', sub } } }),
      })),
    ),
  ),
);

/** The allowed calls, each with the address that it reaches: a server is no other one for having the name of a target. */
function allowedBy(dataPlane: AgentgatewayDataPlane): ReadonlySet<string> {
  const allowed = calls.filter((call) => dataPlane.call(call) === 'allowed');
  return new Set(allowed.map((call) => `${JSON.stringify(call)} at ${dataPlane.addressOf(call.target)}`));
}

const gatewayClass: Manifest = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'mcp' },
  spec: { controllerName: 'kgateway.dev/kgateway' },
};

const listener = fc.record({
  name: fc.constantFrom('one', 'two'),
  port: fc.constantFrom(8080, 9090),
  from: fc.constantFrom('All', 'Same'),
});
const gateway = fc.uniqueArray(listener, { minLength: 1, maxLength: 2, selector: ({ name }) => name }).map(
  (listeners): Manifest => ({
    apiVersion: gatewayApi,
    kind: 'Gateway',
    metadata: { name: 'gw' },
    spec: {
      gatewayClassName: 'mcp',
      listeners: listeners.map(({ name, port, from }) => ({
        name,
        port,
        protocol: 'kgateway.dev/mcp',
        allowedRoutes: { namespaces: { from } },
      })),
    },
  }),
);

const service = fc
  .record({
    key: fc.constantFrom('default/a', 'default/b', 'other/a'),
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    more: fc.boolean(),
    appProtocol: fc.constantFrom('kgateway.dev/mcp', 'agentgateway.dev/mcp'),
  })
  .map(({ key, ip, more, appProtocol }): Manifest => {
    const [namespace = '', name = ''] = key.split('/');
    const ports = (more ? [80, 90] : [80]).map((port) => ({ port, appProtocol }));
    return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { clusterIP: ip, ports } };
  });

const rule = fc
  .record({
    sub: fc.constantFrom('me', 'you'),
    kind: fc.constantFrom('tool', 'prompt'),
    name: fc.constantFrom('*', 'default/a:x', 'default/b:x', 'other/a:x', 'default/a/90:x'),
  })
  .map(({ sub, kind, name }) => ({
    matches: [{ type: 'JWT', jwt: { claim: 'sub', value: sub } }],
    resource: { kind, name },
  }));
const policy = fc.record({ name: fc.constantFrom('p', 'q'), rules: fc.array(rule, { maxLength: 3 }) }).map(
  ({ name, rules }): Manifest => ({
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name },
    spec: { targetRefs: [{ name: 'gw' }], rules },
  }),
);

/** An edit of one object: its new form, or its deletion. */
const edit = fc
  .tuple(
    fc.oneof({ weight: 1, arbitrary: gateway }, { weight: 2, arbitrary: service }, { weight: 2, arbitrary: policy }),
    fc.constantFrom(true, true, true, false),
  )
  .map(([manifest, kept]) => changeOf(manifest, kept));
const step = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  /** The issuer whose tokens count from now on. */
  issuer: fc.constantFrom(undefined, undefined, 'me', 'me', 'somebody else'),
  answers: fc.nat({ max: 3 }),
  reconnect: fc.constantFrom('no', 'no', 'no', 'with versions', 'without versions'),
});

function changeOf(manifest: Manifest, kept = true): ResourceChange {
  const { kind, key, resource } = readManifest(manifest);
  return { kind, key, resource: kept ? resource : undefined } as ResourceChange;
}

function createWorld(): Pipeline {
  const pipeline = createPipeline(defaultSettings, { log: createRecordedLog(), counters: createRecordedCounters() });
  pipeline.deliver({ changes: [changeOf(gatewayClass)], unlistedNamespaces: 'named', synced: true });
  return pipeline;
}

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }] });

/** A policy that says who may sign, and nothing else. */
function signers(issuer: string): ResourceChange {
  const spec = { targetRefs: [{ name: 'gw' }], jwt: { providers: [{ issuer, jwks: { inline: jwks } }] } };
  return changeOf({
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name: 'signers' },
    spec,
  });
}

/** The calls that the other wire allows: its targets, and its rules as `authz/` decides, for a token that counts. */
function allowedByOtherWire({ snapshots, translation }: Pipeline, ports: readonly number[]): ReadonlySet<string> {
  const { views } = snapshots.of(gatewayKey);
  const messages = (typeUrl: string): readonly (readonly [name: string, message: Uint8Array])[] =>
    [...(views.get(typeUrl)?.resources() ?? [])].map(({ name, sotwField }) => [
      name,
      DiscoveryResponse.decode(sotwField).resources[0]?.value ?? Buffer.alloc(0),
    ]);
  const addresses = new Map(
    messages(targetType).map(([name, message]) => {
      const { host, port } = Target.decode(message);
      return [name, `${host}:${port}`];
    }),
  );
  const rules = indexRules(new Map(messages(configType).map(([name, message]) => [name, Config.decode(message)])));
  const trusted = (translation.jwtProviders.get(gatewayKey) ?? []).some(({ issuer }) => issuer === 'me');
  const allowed = calls.flatMap((call) => {
    const { port, token, kind, target, name } = call;
    const named = target.split('.').reverse().join('/');
    const address = addresses.get(named);
    if (!(trusted && ports.includes(port)) || address === undefined) return [];
    const { allowed } = decide(rules, token?.claims, { kind, name: `${named}:${name}` });
    return allowed ? [`${JSON.stringify(call)} at ${address}`] : [];
  });
  return new Set(allowed);
}

describe('a change, however large,', () => {
  it.each<Release>(['1.4', 'later'])(
    'allows at no point what neither the world before nor the one after allows, and in the end what the other wire does: %s',
    {
      timeout: 120_000,
    },
    (release) => {
      let everAllowed = 0;
      const property = fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const pipeline = createWorld();
        const node = { dataPlane: new AgentgatewayDataPlane(release), versions: new Map<string, string>() };
        let [before, after]: ReadonlySet<string>[] = [new Set(), new Set()];
        const open = (): ScriptedStream =>
          new ScriptedStream(pipeline.snapshots, gatewayKey, node, {
            building: (view) => {
              before = allowedBy(node.dataPlane);
              after = allowedBy(dataPlaneOf(view, release));
              everAllowed += after.size;
            },
            received: () => {
              for (const call of allowedBy(node.dataPlane)) {
                expect(before?.has(call) || after?.has(call), `${call} is allowed in between`).toBe(true);
              }
            },
          });
        let stream = open();
        stream.open();
        for (const { edits, issuer, answers, reconnect } of steps) {
          const changes = issuer === undefined ? edits : [...edits, signers(issuer)];
          pipeline.deliver({ changes, synced: true });
          stream.push();
          for (let answered = 0; answered < answers; answered += 1) stream.answer();
          if (reconnect === 'no') continue;
          stream = open();
          stream.open(reconnect === 'with versions' ? undefined : '');
        }
        stream.settle();
        expect(stream.rejects).toEqual([]);
        const view = pipeline.snapshots
          .of(gatewayKey)
          .views.get('type.googleapis.com/agentgateway.dev.resource.Resource');
        if (view === undefined) throw new Error('the dialect is not computed');
        expect(new Set(node.dataPlane.names())).toEqual(new Set([...view.resources()].map(({ name }) => name)));
        for (const call of calls) expect(node.dataPlane.call(call)).toBe(dataPlaneOf(view, release).call(call));
        expect(allowedBy(node.dataPlane)).toEqual(allowedByOtherWire(pipeline, node.dataPlane.ports()));
      });
      fc.assert(property, { numRuns: 200 });
      expect(everAllowed).toBeGreaterThan(0);
    },
  );
});
