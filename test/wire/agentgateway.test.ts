import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MCPTarget_Protocol, Resource } from '../../src/gen/agentgateway/dev/resource/resource.ts';
import { Node } from '../../src/gen/envoy/config/core/v3/base.ts';
import { DeltaDiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Address } from '../../src/gen/istio/workload/workload.ts';
import type { McpAppProtocol, Target } from '../../src/translate/model.ts';
import { targetName } from '../../src/translate/names.ts';
import type { EncodedResource } from '../../src/wire/model.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { AgentgatewayDataPlane, type Answer } from '../support/agentgateway/data-plane.ts';
import { target } from '../support/worlds/wire-values.ts';

function messageOf({ deltaField }: EncodedResource): Uint8Array {
  return DeltaDiscoveryResponse.decode(deltaField).resources[0]?.resource?.value ?? new Uint8Array();
}

function jsonOf(resource: EncodedResource): unknown {
  return Resource.toJSON(Resource.decode(messageOf(resource)));
}

const listeners = [{ name: 'mcp', port: 8080 }];
const served = { key: 'default/gw', scope: 'all', listeners, providers: [] };

describe('the Backend of a target', () => {
  it('has its address and nothing else', () => {
    const backend = agentgateway.encodeTargetBackend(target('default/echo', { host: '10.0.0.7', port: 8080 }));
    expect(backend.name).toBe('backend/echo.default');
    expect(jsonOf(backend)).toEqual({
      backend: {
        key: 'echo.default',
        name: { name: 'echo.default', namespace: 'default' },
        static: { host: '10.0.0.7', port: 8080 },
      },
    });
  });

  it('names an IPv6 address without brackets', () => {
    const backend = agentgateway.encodeTargetBackend(target('a/b', { host: '[2001:db8::1]' }));
    expect(jsonOf(backend)).toMatchObject({ backend: { static: { host: '2001:db8::1' } } });
  });

  it('uses TLS at port 443, with the name of the host and the roots of the system', () => {
    const backend = agentgateway.encodeTargetBackend(target('a/b', { host: 'mcp.example.com', port: 443 }));
    expect(jsonOf(backend)).toMatchObject({
      backend: { inlinePolicies: [{ backendTls: { hostname: 'mcp.example.com' } }] },
    });
  });

  it('stays the same when path or protocol change, and the entry in the list when the address changes', () => {
    const [one, moved] = [target('a/b'), target('a/b', { host: '10.9.9.9', port: 81 })];
    const other = target('a/b', { path: '/x', appProtocol: 'agentgateway.dev/mcp' });
    expect(agentgateway.encodeTargetBackend(one)).toEqual(agentgateway.encodeTargetBackend(other));
    expect(
      agentgateway.sameListedTarget(agentgateway.encodeListedTarget(one), agentgateway.encodeListedTarget(moved)),
    ).toBe(true);
    expect(
      agentgateway.sameListedTarget(agentgateway.encodeListedTarget(one), agentgateway.encodeListedTarget(other)),
    ).toBe(false);
  });
});

describe('the name of a target', () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
  const name = fc
    .tuple(label, label, fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }))
    .map(([namespace, service, port]) => targetName(namespace, service, port))
    .filter((one) => one !== undefined);
  const listedName = (one: NonNullable<ReturnType<typeof targetName>>): string =>
    agentgateway.encodeListedTarget({ ...target('a/b'), name: one }).name;

  it('is one that agentgateway accepts, and no two targets share it', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(listedName(one)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
        expect(listedName(one) === listedName(other)).toBe(one === other);
      }),
    );
  });

  it('can be read back', () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(listedName(one).split('.').reverse().join('/')).toBe(one);
      }),
    );
  });

  it('is at most 253 characters long', () => {
    const long = targetName('n'.repeat(63), 's'.repeat(63), 65535);
    if (long === undefined) throw new Error('not a name');
    expect(listedName(long).length).toBeLessThanOrEqual(253);
  });
});

describe('the transport of a target', () => {
  const sse = MCPTarget_Protocol.SSE;
  const streamable = MCPTarget_Protocol.STREAMABLE_HTTP;
  it.each<[McpAppProtocol, string, number, string]>([
    ['kgateway.dev/mcp', '', sse, '/sse'],
    ['kgateway.dev/mcp', '/sse', sse, '/sse'],
    ['kgateway.dev/mcp', '/v1/sse', sse, '/v1/sse'],
    ['kgateway.dev/mcp', '/mcp', streamable, '/mcp'],
    ['kgateway.dev/mcp', '/', streamable, '/'],
    ['kgateway.dev/mcp-sse', '', sse, '/sse'],
    ['kgateway.dev/mcp-sse', '/mcp', sse, '/mcp'],
    ['agentgateway.dev/mcp', '', streamable, '/mcp'],
    ['agentgateway.dev/mcp', '/sse', streamable, '/sse'],
    ['agentgateway.dev/mcp-sse', '', sse, '/sse'],
  ])('reaches %s with the path %j by protocol %i at %s', (appProtocol, path, protocol, reached) => {
    const backend = agentgateway.encodeMcpBackend('all', [
      agentgateway.encodeListedTarget(target('a/b', { appProtocol, path })),
    ]);
    const { kind } = Resource.decode(messageOf(backend));
    if (kind?.$case !== 'backend' || kind.value.kind?.$case !== 'mcp') throw new Error('not an MCP Backend');
    expect(kind.value.kind.value.targets).toMatchObject([{ protocol, path: reached }]);
  });
});

describe('the MCP Backend of a scope', () => {
  const of = (...targets: Target[]): unknown =>
    jsonOf(
      agentgateway.encodeMcpBackend(
        'all',
        targets.map((one) => agentgateway.encodeListedTarget(one)),
      ),
    );

  it('lists targets by name, prefixes always, and works on without a dead server', () => {
    expect(of(target('a/x'), target('b/a'))).toMatchObject({
      backend: {
        key: 'mcp/all',
        mcp: {
          targets: [
            { name: 'a.b', backend: { backend: 'a.b' }, path: '/sse', protocol: 'SSE' },
            { name: 'x.a', backend: { backend: 'x.a' }, path: '/sse', protocol: 'SSE' },
          ],
          prefixMode: 'ALWAYS',
          failureMode: 'FAIL_OPEN',
        },
      },
    });
  });

  it('allows nothing by itself, with targets or without', () => {
    const closed = { backend: { inlinePolicies: [{ mcpAuthorization: { allow: ['false'] } }] } };
    expect(of()).toMatchObject(closed);
    expect(of(target('a/b'))).toMatchObject(closed);
  });

  it('is another one for other namespaces, and the same for the same ones', () => {
    const keyOf = (...namespaces: [string, ...string[]]): string =>
      agentgateway.encodeMcpBackend(agentgateway.scopeKey({ kind: 'namespaces', namespaces }), []).name;
    expect(keyOf('a', 'b')).toBe(keyOf('a', 'b'));
    expect(
      new Set([
        keyOf('a', 'b'),
        keyOf('ab'),
        keyOf('a'),
        keyOf('all'),
        keyOf('none'),
        'backend/mcp/all',
        'backend/mcp/none',
      ]),
    ).toHaveLength(7);
    expect(agentgateway.namespacesOf(agentgateway.scopeKey({ kind: 'namespaces', namespaces: ['a', 'b'] }))).toEqual([
      'a',
      'b',
    ]);
    expect(agentgateway.namespacesOf(agentgateway.scopeKey({ kind: 'all' }))).toBe('all');
    expect(agentgateway.namespacesOf(agentgateway.scopeKey({ kind: 'none' }))).toEqual([]);
  });
});

describe('a Gateway', () => {
  it('is closed, strict about tokens, and has Route, Listener and Bind for each listener', () => {
    const resources = agentgateway.encodeGateway(served);
    expect(resources.map(({ name }) => name)).toEqual([
      'policy/sentinel:default/gw',
      'policy/jwt:default/gw',
      'route/8080/default/gw.mcp',
      'listener/8080/default/gw.mcp',
      'bind/8080/default/gw',
    ]);
    expect(resources.map(jsonOf)).toMatchObject([
      {
        policy: {
          target: { gateway: { name: 'gw', namespace: 'default' } },
          backend: { mcpAuthorization: { allow: ['false'] } },
        },
      },
      { policy: { target: { gateway: { name: 'gw', namespace: 'default' } }, traffic: { jwt: { mode: 'STRICT' } } } },
      {
        route: {
          listenerKey: '8080/default/gw.mcp',
          name: { kind: 'Gateway', name: 'gw.mcp', namespace: 'default' },
          matches: [{ path: { pathPrefix: '/' } }],
          backends: [{ backend: { backend: 'mcp/all' }, weight: 1 }],
        },
      },
      {
        listener: {
          bindKey: '8080/default/gw',
          name: { gatewayName: 'gw', gatewayNamespace: 'default', listenerName: 'mcp' },
          protocol: 'HTTP',
        },
      },
      { bind: { key: '8080/default/gw', port: 8080 } },
    ]);
  });

  it('is closed without a listener too', () => {
    const names = agentgateway.encodeGateway({ ...served, listeners: [] }).map(({ name }) => name);
    expect(names).toEqual(['policy/sentinel:default/gw', 'policy/jwt:default/gw']);
  });

  it('has other keys for another port: no key changes what it points at', () => {
    const keys = (port: number): readonly string[] =>
      agentgateway
        .encodeGateway({ ...served, listeners: [{ name: 'mcp', port }] })
        .slice(2)
        .map(({ name }) => name);
    expect(keys(8080).filter((name) => keys(9090).includes(name))).toEqual([]);
  });

  it('says who may sign, and describes itself to clients when it trusts one issuer only', () => {
    const metadata = {
      resource: 'https://gw.example/mcp',
      authorizationServers: ['https://as.example'],
      scopesSupported: ['mcp'],
    };
    const provider = { issuer: 'me', audiences: ['me.com'], keys: [], resourceMetadata: metadata };
    const jwtOf = (...providers: (typeof provider)[]): unknown =>
      agentgateway.encodeGateway({ ...served, providers }).map(jsonOf)[1];
    expect(jwtOf(provider)).toMatchObject({
      policy: {
        traffic: {
          jwt: {
            mode: 'STRICT',
            providers: [{ issuer: 'me', audiences: ['me.com'], inline: '{"keys":[]}' }],
            mcp: { resourceMetadata: { extra: metadata } },
          },
        },
      },
    });
    expect(jwtOf(provider, { ...provider, issuer: 'you' })).not.toHaveProperty('policy.traffic.jwt.mcp');
  });
});

describe('a Gateway takes no token', () => {
  const callWith = (audiences: readonly string[], claims: Readonly<Record<string, unknown>>): Answer => {
    const keys = [{ kid: 'k', json: '{"kid":"k"}' }];
    const dataPlane = new AgentgatewayDataPlane();
    const gateway = agentgateway.encodeGateway({ ...served, providers: [{ issuer: 'me', audiences, keys }] });
    const resources = [...gateway, agentgateway.encodeMcpBackend('all', [])];
    dataPlane.apply(
      resources.map((resource) => ({ name: resource.name, value: messageOf(resource) })),
      [],
    );
    return dataPlane.call({ port: 8080, target: 'b.a', kind: 'tool', name: 'x', token: { kid: 'k', claims } });
  };

  it.each<[string, Record<string, unknown>]>([
    ['without an issuer', { aud: 'me.com' }],
    ['with an issuer that is no text', { iss: 5, aud: 'me.com' }],
    ['without an audience', { iss: 'me' }],
    ['with an audience that is no text', { iss: 'me', aud: { a: 'me.com' } }],
  ])('%s, which the data plane would compare with nothing', (_, claims) => {
    expect(callWith(['me.com'], { iss: 'me', aud: 'me.com' })).toBe('not found');
    expect(callWith(['me.com'], claims)).toBe('unauthenticated');
  });

  it('without an audience where audiences are named, and takes it where none are', () => {
    expect(callWith(['me.com'], { iss: 'me' })).toBe('unauthenticated');
    expect(callWith([], { iss: 'me' })).toBe('not found');
  });
});

describe('the Workload of a node', () => {
  const resourceOf = (metadata: Record<string, unknown>): EncodedResource | undefined =>
    agentgateway.addressType.resourceOf(Node.fromPartial({ metadata }));
  const whole = { NAME: 'p', NAMESPACE: 'default', INSTANCE_IPS: '10.0.0.1,2001:db8::1', NODE_NAME: 'n' };

  it('is made of what the node says of itself', () => {
    const resource = resourceOf(whole);
    expect(resource?.name).toBe('Kubernetes//Pod/default/p');
    expect(resource && Address.toJSON(Address.decode(messageOf(resource)))).toEqual({
      workload: {
        uid: 'Kubernetes//Pod/default/p',
        name: 'p',
        namespace: 'default',
        node: 'n',
        addresses: [
          Buffer.from([10, 0, 0, 1]).toString('base64'),
          Buffer.from('20010db8000000000000000000000001', 'hex').toString('base64'),
        ],
      },
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no name', { ...whole, NAME: '' }],
    ['no namespace', { NAME: 'p', INSTANCE_IPS: '10.0.0.1' }],
    ['no address', { ...whole, INSTANCE_IPS: 'localhost' }],
    ['a name that is no string', { ...whole, NAME: 5 }],
    ['a name with control characters', { ...whole, NAME: 'p\u0000' }],
    ['a name of 254 characters', { ...whole, NAME: 'p'.repeat(254) }],
  ])('does not exist for a node with %s', (_, metadata) => {
    expect(resourceOf(metadata)).toBeUndefined();
  });

  it('has at most sixteen addresses', () => {
    const resource = resourceOf({ ...whole, INSTANCE_IPS: Array(100).fill('10.0.0.1').join() });
    const { type } = Address.decode(messageOf(resource ?? agentgateway.encodeTargetBackend(target('a/b'))));
    expect(type?.value.addresses).toHaveLength(16);
  });
});
