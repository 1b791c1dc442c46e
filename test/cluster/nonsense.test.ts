import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { type ClusterWorld, heldBy, type Replica, startClusterWorld } from '../support/cluster/world.ts';
import {
  mcpClass,
  mcpGateway,
  mcpPort,
  namespace,
  openGateway,
  policy,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';

/** What an API server lets through, and what changes faster than anybody can follow: no crash, no loop, nothing lost. */

const skipped = kubeAssets() === undefined;
let world: ClusterWorld;
let replica: Replica;

beforeAll(async () => {
  if (skipped) return;
  world = await startClusterWorld();
  replica = await world.replica();
  await replica.synced;
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** The CRD of an older release, which asked for nothing. */
const laxSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const policies = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies';
const match = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };
const everything = { kind: 'tool', name: '*' };
const refs = [{ name: 'gw' }];

/** Specs that allow nothing, whoever reads them. */
const nonsense: Readonly<Record<string, unknown>> = {
  // First: the strict CRD refuses it, so what comes after it meets the lax one.
  'rules-are-a-mapping': { targetRefs: refs, rules: { matches: [match], resource: everything } },
  'no-spec': undefined,
  'text-for-a-spec': 'allow everything',
  'matches-nobody': { targetRefs: refs, rules: [{ resource: everything }] },
  'matches-a-number': {
    targetRefs: refs,
    rules: [{ matches: [{ type: 'JWT', jwt: { claim: 'sub', value: 5 } }], resource: everything }],
  },
  'denies-by-an-unknown-field': {
    targetRefs: refs,
    rules: [{ matches: [match], resource: everything, action: 'Deny' }],
  },
  'no-resource': { targetRefs: refs, rules: [{ matches: [match] }] },
  'another-kind-of-resource': {
    targetRefs: refs,
    rules: [{ matches: [match], resource: { kind: 'file', name: '*' } }],
  },
  'both-kinds-of-match': {
    targetRefs: refs,
    rules: [{ matches: [{ ...match, serviceAccount: { name: 'a' } }], resource: everything }],
  },
  'a-section-only': {
    targetRefs: [{ name: 'gw', sectionname: 'mcp' }],
    rules: [{ matches: [match], resource: everything }],
  },
  'another-namespace': {
    targetRefs: [{ name: 'gw', namespace: 'other' }],
    rules: [{ matches: [match], resource: everything }],
  },
};

describe.skipIf(skipped)('objects that an older CRD lets through', () => {
  it('allow nothing, and do not touch their neighbours', { timeout: 120_000 }, async () => {
    await world.apply(together(openGateway, policy('default/good', 'gw')));
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mcpauthpolicies.gateway.kgateway.dev';
    const lax = { op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: laxSchema };
    const changed = await world.api.request(crd, { method: 'PATCH', type: 'application/json-patch+json', body: [lax] });
    expect(changed.status).toBe(200);
    for (const [name, spec] of Object.entries(nonsense)) await create(name, spec);
    await world.apply(policy('default/last', 'gw', 'you'));
    const node = replica.node('default/gw');
    await heldBy(node, ({ configs }) => 'default.last' in configs);
    // For a second the API server still tells a watch what the old CRD leaves of an object; then it ends the watch.
    const held = await heldBy(node, ({ configs }) => Object.keys(configs).length === 2);
    expect(held.configs).toEqual({
      'default.good': ['tool * when sub is me'],
      'default.last': ['tool * when sub is you'],
    });
    expect(await node.settled()).toEqual(held);
  });

  it('are told what is wrong with them, where they have a status', async () => {
    const { status } = await world.until('mcpauthpolicy', 'default/matches-nobody', (one) => one.status !== undefined);
    expect(status?.ancestors?.[0]?.conditions[0]).toMatchObject({
      type: 'Accepted',
      status: 'False',
      reason: 'Invalid',
    });
    const { body } = await replica.get('debug', '/snapshots/xds');
    for (const name of ['no-spec', 'text-for-a-spec']) expect(body).toContain(`MCPAuthPolicy default/${name}`);
  });
});

/** The lax CRD may still be on its way through the API server. */
async function create(name: string, spec: unknown): Promise<void> {
  const body = { apiVersion: 'gateway.kgateway.dev/v1alpha1', kind: 'MCPAuthPolicy', metadata: { name }, spec };
  for (;;) {
    const { status, text } = await world.api.request(policies, { method: 'POST', body });
    if (status === 201) return;
    if (status !== 422 && status !== 400) throw new Error(text);
  }
}

describe.skipIf(skipped)('what changes too fast to follow', () => {
  it('costs a Service that flaps bounded work and no lines, and ends where it ended', {
    timeout: 120_000,
  }, async () => {
    const flapping = '/api/v1/namespaces/default/services/flapping';
    await world.apply(serviceWith('default/flapping', `{ ports: [${mcpPort(80)}] }`));
    const node = replica.node('default/gw');
    await heldBy(node, ({ targets }) => 'default/flapping' in targets);
    const [lines, commits] = [replica.log.lines.length, replica.commits()];
    for (let at = 0; at < 200; at += 1) {
      const appProtocol = at % 2 === 0 ? 'example.com/other' : 'kgateway.dev/mcp';
      const body = { spec: { ports: [{ port: 80, appProtocol }] } };
      const { status } = await world.api.request(flapping, {
        method: 'PATCH',
        type: 'application/merge-patch+json',
        body,
      });
      expect(status).toBe(200);
    }
    await world.apply(serviceWith('default/calm', `{ ports: [${mcpPort(81)}] }`));
    const held = await heldBy(node, ({ targets }) => 'default/calm' in targets);
    expect(held.targets).toHaveProperty('default/flapping');
    expect(replica.commits() - commits).toBeLessThanOrEqual(201);
    expect(JSON.stringify(replica.log.lines.slice(lines))).not.toContain('flapping');
  });

  it('follows a Namespace that is relabelled back and forth', { timeout: 120_000 }, async () => {
    const selector = 'from: Selector, selector: { matchLabels: { team: red } }';
    const service = serviceWith('moving/tool', `{ ports: [${mcpPort(80)}] }`);
    await world.apply(
      together(mcpClass, namespace('moving', '{ team: red }'), mcpGateway('default/red', selector), service),
    );
    const node = replica.node('default/red');
    const has = (held: { readonly targets: object }): boolean => 'moving/tool' in held.targets;
    await heldBy(node, has);
    for (let at = 0; at < 60; at += 1) {
      const body = { metadata: { labels: { team: at % 2 === 0 ? 'blue' : 'red' } } };
      await world.api.request('/api/v1/namespaces/moving', {
        method: 'PATCH',
        type: 'application/merge-patch+json',
        body,
      });
    }
    await heldBy(node, has);
    await world.api.kubectl(['label', 'namespace', 'moving', 'team-']);
    await heldBy(node, (held) => !has(held));
  });
});

describe.skipIf(skipped)('a kind that is not installed', () => {
  it('is empty as long as it is not, and picked up when it is', { timeout: 120_000 }, async () => {
    await world.api.kubectl(['delete', 'crd', 'mcpauthpolicies.gateway.kgateway.dev']);
    const node = replica.node('default/gw');
    await heldBy(node, ({ configs }) => Object.keys(configs).length === 0);
    const late = await world.replica();
    await late.synced;
    await world.api.installOwnCrds();
    await world.apply(policy('default/again', 'gw'));
    await heldBy(node, ({ configs }) => 'default.again' in configs);
    await heldBy(late.node('default/gw'), ({ configs }) => 'default.again' in configs);
  });
});
