import fc from 'fast-check';
import type { KindName } from '../../../src/resources/model.ts';
import type { Manifest } from './translated-world.ts';

/**
 * Arbitraries of small worlds of manifests. Names are drawn from small pools, so that references often resolve and
 * often do not. Most fields are valid.
 */

const classNames = ['mcp', 'refused', 'theirs'] as const;

const namespace = fc.constantFrom('a', 'a', 'b');
const gatewayName = fc.constantFrom('g', 'h');
const labels = fc.dictionary(fc.constantFrom('team', 'env'), fc.constantFrom('red', 'blue', ''), { maxKeys: 2 });

/** Required fields, and fields that are present in one object of four. */
function mapping<A extends object, B extends object>(
  always: { [K in keyof A]: fc.Arbitrary<A[K]> },
  sometimes: { [K in keyof B]: fc.Arbitrary<B[K]> },
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const absent = { arbitrary: fc.constant(undefined), weight: 3 };
  const fields = Object.entries<fc.Arbitrary<unknown>>(sometimes).map(
    ([name, field]) => [name, fc.oneof(absent, { arbitrary: field, weight: 1 })] as const,
  );
  return fc.tuple(fc.record<object>(always), fc.record(Object.fromEntries(fields))).map(([there, maybe]) => ({
    ...there,
    ...Object.fromEntries(Object.entries(maybe).filter(([, value]) => value !== undefined)),
  }));
}

function manifest(
  apiVersion: string,
  kind: KindName,
  metadata: fc.Arbitrary<Readonly<Record<string, unknown>>>,
  spec: fc.Arbitrary<unknown>,
): fc.Arbitrary<Manifest> {
  return fc
    .tuple(metadata, spec)
    .map(([written, specified]) => ({ apiVersion, kind, metadata: written, spec: specified }));
}

const parametersRef = fc.record({
  group: fc.constant('gateway.kgateway.dev'),
  kind: fc.constant('GatewayParameters'),
  name: fc.constantFrom('self', 'kube', 'missing'),
});

const gatewayClass: fc.Arbitrary<Manifest> = fc
  .record({
    name: fc.constantFrom(...classNames),
    ref: fc.option(fc.tuple(parametersRef, fc.option(namespace)), { freq: 1 }),
  })
  .map(({ name, ref }) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name },
    spec: {
      controllerName: name === 'theirs' ? 'example.com/theirs' : 'kgateway.dev/kgateway',
      ...(ref === null ? {} : { parametersRef: { ...ref[0], namespace: ref[1] ?? undefined } }),
    },
  }));

const gatewayParameters = manifest(
  'gateway.kgateway.dev/v1alpha1',
  'GatewayParameters',
  fc.record({ namespace, name: fc.constantFrom('self', 'kube') }),
  fc.constantFrom({ selfManaged: {} }, { selfManaged: {} }, { kube: {} }, {}),
);

const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom('team', 'env'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom('red', 'blue', ''), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: fc.constantFrom('team', 'env'), operator: fc.constantFrom('Exists', 'DoesNotExist', 'Like') }),
);

const selector = fc.oneof(
  fc.record({ matchLabels: labels }),
  fc.record({ matchExpressions: fc.array(requirement, { maxLength: 2 }) }),
  fc.record({ matchLabels: labels, matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 2 }) }),
);

const allowedRoutes = fc.record({
  namespaces: fc.oneof(
    fc.record({ from: fc.constantFrom('All', 'All', 'Same', 'Same', 'Selector', 'None') }),
    fc.record({ from: fc.constant('Selector'), selector }),
  ),
});

const listener = mapping(
  {
    name: fc.constantFrom('one', 'two', 'three', 'four', 'five', 'six'),
    port: fc.oneof(
      { arbitrary: fc.integer({ min: 8080, max: 8090 }), weight: 9 },
      { arbitrary: fc.constant(0), weight: 1 },
    ),
    protocol: fc.constantFrom('kgateway.dev/mcp', 'kgateway.dev/mcp', 'kgateway.dev/mcp', 'HTTP'),
    allowedRoutes,
  },
  { tls: fc.constant({}) },
);

const gateway = manifest(
  'gateway.networking.k8s.io/v1',
  'Gateway',
  fc.record({ namespace, name: gatewayName }),
  mapping(
    {
      gatewayClassName: fc.constantFrom('mcp', 'mcp', 'mcp', ...classNames),
      listeners: fc.array(listener, { minLength: 1, maxLength: 3 }),
    },
    {
      infrastructure: fc.record({ parametersRef }),
      addresses: fc.array(fc.constantFrom({ value: '10.0.0.1' }, { type: 'NamedAddress', value: 'x' }, { value: '' })),
    },
  ),
);

const servicePort = mapping(
  {
    port: fc.constantFrom(80, 80, 81, 82, 83, 70_000),
    appProtocol: fc.constantFrom('kgateway.dev/mcp', 'kgateway.dev/mcp', 'http', 'agentgateway.dev/mcp-sse'),
  },
  { protocol: fc.constantFrom('TCP', 'UDP') },
);

const service = manifest(
  'v1',
  'Service',
  mapping(
    { namespace, name: fc.constantFrom('s', 't') },
    { annotations: fc.record({ 'kgateway.dev/mcp-path': fc.constantFrom('/mcp', '/mcp', 'relative') }) },
  ),
  mapping(
    { ports: fc.array(servicePort, { minLength: 1, maxLength: 3 }) },
    {
      clusterIP: fc.constantFrom('None', '10.0.0.7', '127.0.0.1'),
      type: fc.constantFrom('ClusterIP', 'ExternalName'),
      externalName: fc.constant('mcp.example.com'),
    },
  ),
);

const namespaceObject: fc.Arbitrary<Manifest> = fc
  .record({ name: namespace, labels })
  .map((metadata) => ({ apiVersion: 'v1', kind: 'Namespace', metadata }));

const match = fc.oneof(
  fc.record({
    type: fc.constantFrom('JWT', 'jwt'),
    jwt: fc.record({ claim: fc.constantFrom('sub', 'email'), value: fc.constantFrom('me', 'you', '') }),
  }),
  fc.record({
    type: fc.constant('ServiceAccount'),
    serviceAccount: mapping({ name: fc.constant('bot') }, { namespace }),
  }),
);

const rule = fc.record({
  matches: fc.array(match, { maxLength: 3 }),
  resource: fc.record({
    kind: fc.constantFrom('tool', 'prompt', 'resource'),
    name: fc.constantFrom('*', 'a/s:run', 'a/s/81:run', 'b/t:run', 'b/s:x', 'nobody'),
  }),
});

const targetRef = mapping(
  { name: gatewayName },
  {
    group: fc.constantFrom('gateway.networking.k8s.io', '', 'example.com'),
    kind: fc.constantFrom('Gateway', 'Service', 'Not a kind'),
    sectionName: fc.constant('one'),
  },
);

const policy = manifest(
  'gateway.kgateway.dev/v1alpha1',
  'MCPAuthPolicy',
  fc.record({ namespace, name: fc.constantFrom('p', 'q') }),
  fc.record({
    targetRefs: fc.array(targetRef, { minLength: 1, maxLength: 3 }),
    rules: fc.array(rule, { maxLength: 3 }),
  }),
);

/** One object of any kind. */
export const anyManifest: fc.Arbitrary<Manifest> = fc.oneof(
  { arbitrary: gatewayClass, weight: 1 },
  { arbitrary: gatewayParameters, weight: 1 },
  { arbitrary: gateway, weight: 3 },
  { arbitrary: service, weight: 4 },
  { arbitrary: namespaceObject, weight: 2 },
  { arbitrary: policy, weight: 4 },
);

/** A class, a Gateway and a target, which every world contains; another version of each may follow. */
const opening: readonly Manifest[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'mcp' },
    spec: { controllerName: 'kgateway.dev/kgateway' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'a', name: 'g' },
    spec: {
      gatewayClassName: 'mcp',
      listeners: [
        {
          name: 'one',
          port: 8080,
          protocol: 'kgateway.dev/mcp',
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: {} } } },
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'a', name: 's' },
    spec: { ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] },
  },
];

/** A world: objects in any order. Two of one key are two versions of it, of which the later one counts. */
export const anyWorld: fc.Arbitrary<readonly Manifest[]> = fc
  .array(anyManifest, { minLength: 4, maxLength: 16 })
  .map((manifests) => [...opening, ...manifests]);
