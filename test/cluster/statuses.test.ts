import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import {
  type ClusterWorld,
  heldBy,
  type Replica,
  type StoredCondition,
  type StoredObject,
  startClusterWorld,
} from '../support/cluster/world.ts';
import { gatewayWith, mcpClass, mcpGateway, policy, policyWith, together } from '../support/worlds/manifests.ts';

/**
 * What the Gateway API's conformance suite looks at, as far as a controller without routes can have it, and what GEP-713
 * says of policies; on the oldest and the newest CRDs, whose schemas ask for different fields.
 */

const mcp = 'kgateway.dev/mcp';

/** `Type=Status/Reason` of each condition; every one of them has to be of this generation. */
function told(object: StoredObject, conditions: readonly StoredCondition[] = []): readonly string[] {
  for (const { type, observedGeneration } of conditions) {
    expect({ type, observedGeneration }).toEqual({ type, observedGeneration: object.metadata.generation });
  }
  return conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`);
}

function isCurrent({ metadata, status }: StoredObject): boolean {
  const conditions = status?.conditions ?? [];
  return conditions.length > 0 && conditions.every((one) => one.observedGeneration === metadata.generation);
}

const gatewayRows: readonly {
  readonly name: string;
  readonly listeners: string;
  readonly infrastructure?: string;
  readonly gateway: readonly string[];
  readonly each: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    name: 'all-good',
    listeners: `[{ name: mcp, port: 8080, protocol: ${mcp} }]`,
    gateway: ['Accepted=True/Accepted', 'Programmed=True/Programmed'],
    each: { mcp: ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=True/Programmed'] },
  },
  {
    name: 'unsupported-protocol',
    listeners: '[{ name: http, port: 80, protocol: INVALID }]',
    gateway: ['Accepted=False/ListenersNotValid', 'Programmed=False/Invalid'],
    each: {
      http: ['Accepted=False/UnsupportedProtocol', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/Invalid'],
    },
  },
  {
    name: 'one-of-two-supported',
    listeners: `[{ name: mcp, port: 8080, protocol: ${mcp} }, { name: http, port: 80, protocol: INVALID }]`,
    gateway: ['Accepted=True/ListenersNotValid', 'Programmed=True/Programmed'],
    each: {
      mcp: ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=True/Programmed'],
      http: ['Accepted=False/UnsupportedProtocol', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/Invalid'],
    },
  },
  {
    name: 'invalid-route-kind',
    listeners: `[{ name: mcp, port: 8080, protocol: ${mcp}, allowedRoutes: { kinds: [{ kind: InvalidRoute }] } }]`,
    gateway: ['Accepted=True/Accepted', 'Programmed=True/Programmed'],
    each: { mcp: ['Accepted=True/Accepted', 'ResolvedRefs=False/InvalidRouteKinds', 'Programmed=True/Programmed'] },
  },
  {
    name: 'invalid-route-kind-of-an-unsupported-protocol',
    listeners: '[{ name: http, port: 80, protocol: HTTP, allowedRoutes: { kinds: [{ kind: InvalidRoute }] } }]',
    gateway: ['Accepted=False/ListenersNotValid', 'Programmed=False/Invalid'],
    each: {
      http: ['Accepted=False/UnsupportedProtocol', 'ResolvedRefs=False/InvalidRouteKinds', 'Programmed=False/Invalid'],
    },
  },
  {
    name: 'indistinct',
    listeners: `[{ name: a, port: 8080, protocol: ${mcp} }, { name: b, port: 8080, protocol: ${mcp}, hostname: b.example.com }]`,
    gateway: ['Accepted=False/ListenersNotValid', 'Programmed=False/Invalid'],
    each: {
      a: expect.arrayContaining(['Conflicted=True/HostnameConflict']),
      b: expect.arrayContaining(['Conflicted=True/HostnameConflict']),
    },
  },
  {
    name: 'invalid-parameters',
    listeners: '[{ name: http, port: 80, protocol: HTTP }]',
    infrastructure: '{ parametersRef: { group: example.com, kind: Params, name: none } }',
    gateway: ['Accepted=False/InvalidParameters', 'Programmed=False/Invalid'],
    each: {
      http: ['Accepted=False/UnsupportedProtocol', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/Invalid'],
    },
  },
  {
    name: 'x'.repeat(253),
    listeners: `[{ name: mcp, port: 8080, protocol: ${mcp} }]`,
    gateway: ['Accepted=True/Accepted', 'Programmed=True/Programmed'],
    each: { mcp: ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=True/Programmed'] },
  },
];

let world: ClusterWorld;
let replica: Replica;

const versions = ['v1.0.0', 'v1.6.1'] as const;

describe.skipIf(kubeAssets() === undefined).each(versions)('statuses with the CRDs %s', (version) => {
  beforeAll(async () => {
    world = await startClusterWorld({ version });
    await world.apply(together(mcpClass, mcpGateway('default/gw')));
    replica = await world.replica();
    await replica.synced;
  });
  afterAll(() => world[Symbol.asyncDispose]());

  ofClasses();
  ofGateways(version);
  ofPolicies();
  besideOthers();
});

function ofClasses(): void {
  it('say of a class that it is accepted, by which CRDs, and follow its generation', async () => {
    const first = await world.until('gatewayclass', 'mcp', isCurrent);
    expect(told(first, first.status?.conditions)).toEqual(
      expect.arrayContaining(['Accepted=True/Accepted', 'SupportedVersion=True/SupportedVersion']),
    );
    await world.api.kubectl(['patch', 'gatewayclass', 'mcp', '--type=merge', '-p', '{"spec":{"description":"new"}}']);
    const second = await world.until(
      'gatewayclass',
      'mcp',
      (one) => one.metadata.generation !== first.metadata.generation && isCurrent(one),
    );
    const when = ({ status }: StoredObject): unknown => status?.conditions?.map(({ lastTransitionTime: at }) => at);
    expect(when(second)).toEqual(when(first));
  });
}

function ofGateways(version: (typeof versions)[number]): void {
  it.each(gatewayRows)('say what is wrong with the Gateway $name', async (row) => {
    const { name, listeners, infrastructure, gateway, each } = row;
    // v1.0.0 has no field for it, and an API server drops what it does not know.
    if (infrastructure !== undefined && version === 'v1.0.0') return;
    const text = gatewayWith(
      `default/${name}`,
      `${listeners}${infrastructure ? `, infrastructure: ${infrastructure}` : ''}`,
    );
    await world.apply(text);
    const object = await world.until('gateway', `default/${name}`, isCurrent);
    expect(told(object, object.status?.conditions)).toEqual(gateway);
    const found = object.status?.listeners ?? [];
    expect(Object.fromEntries(found.map((one) => [one.name, told(object, one.conditions)]))).toEqual(each);
    expect(found.map((one) => one)).toEqual(
      found.map(() => expect.objectContaining({ attachedRoutes: 0, supportedKinds: [] })),
    );
  });

  it('say that a Gateway waits for a controller when its class is deleted', async () => {
    const own = mcpClass.replaceAll('name: mcp', 'name: leaving');
    const text = gatewayWith('default/left', `[{ name: mcp, port: 8080, protocol: ${mcp} }]`);
    await world.apply(together(own, text.replace('gatewayClassName: mcp', 'gatewayClassName: leaving')));
    const isProgrammed = (status: string) => (one: StoredObject) =>
      (one.status?.conditions ?? []).some(({ type, status: found }) => type === 'Programmed' && found === status);
    await world.until('gateway', 'default/left', isProgrammed('True'));
    await world.remove('gatewayclass', 'leaving');
    const left = await world.until('gateway', 'default/left', isProgrammed('Unknown'));
    expect(told(left, left.status?.conditions)).toEqual(['Accepted=Unknown/Pending', 'Programmed=Unknown/Pending']);
    await world.apply(own);
    await world.until('gateway', 'default/left', isProgrammed('True'));
    await world.remove('gateway', 'default/left');
  });

  it('follow listeners that come and go', async () => {
    const text = (names: readonly string[]): string =>
      gatewayWith(
        'default/moving',
        `[${names.map((name, at) => `{ name: ${name}, port: ${8080 + at}, protocol: ${mcp} }`)}]`,
      );
    for (const names of [['a'], ['a', 'b'], ['b'], ['c', 'b', 'a']]) {
      await world.apply(text(names));
      const object = await world.until(
        'gateway',
        'default/moving',
        (one) => isCurrent(one) && one.status?.listeners?.length === names.length,
      );
      expect(object.status?.listeners?.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    }
  });
}

function ofPolicies(): void {
  it('tell a Gateway and a policy of each other, and forget it', async () => {
    await world.apply(policy('default/mine', 'gw'));
    const attached = await world.until(
      'mcpauthpolicy',
      'default/mine',
      ({ status }) => status?.ancestors?.length === 1,
    );
    const [ancestor] = attached.status?.ancestors ?? [];
    expect(ancestor).toMatchObject({ controllerName: 'kgateway.dev/kgateway', ancestorRef: { name: 'gw' } });
    expect(told(attached, ancestor?.conditions)).toEqual(['Accepted=True/Accepted']);
    const isAffected = ({ status }: StoredObject): boolean =>
      (status?.conditions ?? []).some(({ type }) => type === 'kgateway.dev/MCPAuthPolicyAffected');
    await world.until('gateway', 'default/gw', isAffected);
    await world.remove('mcpauthpolicy', 'default/mine');
    await world.until('gateway', 'default/gw', (one) => !isAffected(one));
  });

  it('tell the author of a policy what was dropped of it, what is missing, and what no target serves', async () => {
    const good =
      '{ matches: [{ type: JWT, jwt: { claim: sub, value: me } }], resource: { kind: tool, name: "default/none:run" } }';
    await world.apply(policyWith('default/partly', '[{ name: gw }, { name: absent }]', `[${good}]`));
    const object = await world.until(
      'mcpauthpolicy',
      'default/partly',
      ({ status }) => status?.ancestors?.length === 2,
    );
    const byName = Object.fromEntries(
      (object.status?.ancestors ?? []).map(({ ancestorRef, conditions }) => [ancestorRef.name, conditions]),
    );
    expect(told(object, byName['gw'])).toEqual(['Accepted=True/Accepted']);
    expect(byName['gw']?.[0]?.message).toContain('default/none:run');
    expect(told(object, byName['absent'])).toEqual(['Accepted=False/TargetNotFound']);
    // What somebody sees who looks at the list: not the verdict of the first Gateway alone.
    const row = await world.api.kubectl(['get', 'mcpauthpolicy', 'partly', '--no-headers']);
    expect(row.split(/ {2,}/).slice(0, 5)).toEqual(['partly', 'gw, absent', '1 of 2', 'TargetNotFound', '1']);
    expect(row).toMatch(/ absent: There is no Gateway .* gw: The policy is accepted\. .*default\/none:run/);
  });
}

function besideOthers(): void {
  it('stand still when nothing changes, although a second controller writes beside them', async () => {
    const foreign = {
      type: 'example.com/Watched',
      status: 'True',
      reason: 'Seen',
      message: 'by somebody else',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    // One that no policy concerns: nothing else is being written on it meanwhile.
    await world.apply(mcpGateway('default/shared'));
    const { status } = await world.until('gateway', 'default/shared', isCurrent);
    const patched = await world.api.request(
      '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/shared/status',
      {
        method: 'PATCH',
        type: 'application/merge-patch+json',
        body: { status: { conditions: [...(status?.conditions ?? []), foreign] } },
      },
    );
    expect(patched.status).toBe(200);
    // Whatever was to be written because of this has been written once something later is.
    await world.apply(mcpGateway('default/later'));
    await world.until('gateway', 'default/later', isCurrent);
    const before = await world.read('gateway', 'default/shared');
    expect(before?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: foreign.type, message: foreign.message }),
    );
    await world.apply(mcpGateway('default/latest'));
    await world.until('gateway', 'default/latest', isCurrent);
    expect((await world.read('gateway', 'default/shared'))?.metadata.resourceVersion).toBe(
      before?.metadata.resourceVersion,
    );
  });

  it('are put right again when somebody breaks them', async () => {
    const { status } = await world.api.request('/apis/gateway.networking.k8s.io/v1/gatewayclasses/mcp/status', {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { status: { conditions: [] } },
    });
    expect(status).toBe(200);
    await world.until('gatewayclass', 'mcp', isCurrent);
  });

  it('are about what gateways are told', async () => {
    const node = replica.node('default/gw');
    expect((await heldBy(node, ({ configs }) => Object.keys(configs).length === 1)).configs).toHaveProperty(
      'default.partly',
    );
  });
}
