/** A manifest as a value, so that a test can corrupt any part of it before it becomes text. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

const gateways = 'gateway.networking.k8s.io/v1';
const ours = 'gateway.kgateway.dev/v1alpha1';
const mcp = { name: 'mcp', port: 80, protocol: 'kgateway.dev/mcp' };
const ports = [{ port: 80, appProtocol: 'kgateway.dev/mcp' }];
const isMe = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };

const gateway = (namespace: string, name: string, ...listeners: readonly object[]): Manifest => ({
  apiVersion: gateways,
  kind: 'Gateway',
  metadata: { namespace, name },
  spec: { gatewayClassName: 'mcp', listeners },
});
const service = (namespace: string, name: string, spec: object = {}, annotations: object = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name, annotations },
  spec: { clusterIP: '10.0.0.1', ports, ...spec },
});
const policy = (
  namespace: string,
  name: string,
  targetRefs: readonly object[],
  ...rules: readonly object[]
): Manifest => ({
  apiVersion: ours,
  kind: 'MCPAuthPolicy',
  metadata: { namespace, name },
  spec: { targetRefs, rules },
});
const selecting = (selector: object): object => ({ allowedRoutes: { namespaces: { from: 'Selector', selector } } });

/** Manifests with some of everything, in which every Gateway restricts something. */
export const base: readonly Manifest[] = [
  { apiVersion: ours, kind: 'GatewayParameters', metadata: { name: 'p' }, spec: { selfManaged: {} } },
  {
    apiVersion: gateways,
    kind: 'GatewayClass',
    metadata: { name: 'mcp' },
    spec: {
      controllerName: 'kgateway.dev/kgateway',
      parametersRef: { group: 'gateway.kgateway.dev', kind: 'GatewayParameters', name: 'p', namespace: 'default' },
    },
  },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red', labels: { team: 'red' } } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'blue', labels: { team: 'blue', frozen: '' } } },
  gateway('default', 'same', mcp),
  gateway('default', 'labelled', { ...mcp, ...selecting({ matchLabels: { team: 'red' } }) }),
  gateway('red', 'unfrozen', {
    ...mcp,
    ...selecting({
      matchExpressions: [
        { key: 'frozen', operator: 'DoesNotExist' },
        { key: 'team', operator: 'NotIn', values: ['green'] },
      ],
    }),
  }),
  service('default', 'tool'),
  service('red', 'tool', { ports: [...ports, { port: 81, appProtocol: 'kgateway.dev/mcp' }] }),
  service('blue', 'tool', {}, { 'kgateway.dev/mcp-path': '/mcp' }),
  service('grey', 'tool'),
  policy('default', 'one', [{ name: 'same' }], { matches: [isMe], resource: { kind: 'tool', name: 'default/tool:a' } }),
];

/** Objects that would each grant more if they were valid. */
export const more: readonly Manifest[] = [
  gateway('blue', 'all', { ...mcp, allowedRoutes: { namespaces: { from: 'All' } } }),
  gateway(
    'grey',
    'picky',
    {
      ...mcp,
      ...selecting({ matchLabels: { team: 'red' }, matchExpressions: [{ key: 'frozen', operator: 'Exists' }] }),
    },
    { name: 'b', port: 81, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces: { from: 'Same' } } },
  ),
  service('red', 'more', { ports: [...ports, { port: 82, appProtocol: 'agentgateway.dev/mcp', protocol: 'TCP' }] }),
  service(
    'default',
    'elsewhere',
    { type: 'ExternalName', externalName: 'mcp.example.com' },
    { 'kgateway.dev/mcp-path': '/x' },
  ),
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'grey', labels: { team: 'red' } } },
  policy(
    'default',
    'more',
    [{ name: 'same', group: 'gateway.networking.k8s.io', kind: 'Gateway' }, { name: 'labelled' }],
    {
      matches: [isMe, { type: 'ServiceAccount', serviceAccount: { name: 'a', namespace: 'red' } }],
      resource: { kind: 'tool', name: '*' },
    },
    {
      matches: [{ type: 'JWT', jwt: { claim: 'group', value: 'admins' } }],
      resource: { kind: 'prompt', name: 'red/tool:p' },
    },
  ),
  policy('red', 'more', [{ name: 'unfrozen' }], { matches: [isMe], resource: { kind: 'resource', name: '*' } }),
];
