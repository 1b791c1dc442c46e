import type { KindName } from '../../src/resources/model.ts';
import { type Mapping, object } from './objects.ts';

/** One object of each kind that uses every field we read. */

const parametersRef = { group: 'gateway.kgateway.dev', kind: 'GatewayParameters', name: 'p' };

const selector = {
  matchLabels: { team: 'a' },
  matchExpressions: [
    { key: 'tier', operator: 'NotIn', values: ['lab', 'play'] },
    { key: 'zone', operator: 'Exists' },
    { key: 'frozen', operator: 'DoesNotExist' },
  ],
};

const protocol = 'kgateway.dev/mcp';

export const samples: Readonly<Record<KindName, Mapping>> = {
  GatewayClass: object('GatewayClass', {
    controllerName: 'kgateway.dev/kgateway',
    description: 'MCP',
    parametersRef: { ...parametersRef, namespace: 'there' },
  }),
  GatewayParameters: object('GatewayParameters', { selfManaged: { some: 'thing' } }),
  Gateway: object('Gateway', {
    gatewayClassName: 'mcp',
    listeners: [
      { name: 'chosen', port: 1, protocol, allowedRoutes: { namespaces: { from: 'Selector', selector }, kinds: [] } },
      {
        name: 'same',
        port: 2,
        protocol,
        allowedRoutes: { namespaces: { from: 'Same' }, kinds: [{ kind: 'HTTPRoute' }] },
      },
      { name: 'none', port: 3, protocol, allowedRoutes: { namespaces: { from: 'Selector' } } },
      { name: 'web', port: 4, protocol: 'HTTPS', hostname: 'a.example', tls: { mode: 'Terminate' } },
    ],
    addresses: [{ value: '192.0.2.1' }, { type: 'Hostname', value: 'a.example' }],
    infrastructure: { labels: { a: 'b' }, parametersRef },
  }),
  Service: object(
    'Service',
    {
      clusterIP: 'fd00::1',
      ports: [
        { name: 'web', port: 80, appProtocol: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'mcp', port: 8080, protocol: 'TCP', appProtocol: protocol, targetPort: 'mcp' },
        { name: 'sse', port: 8081, appProtocol: 'kgateway.dev/mcp-sse', targetPort: 81 },
      ],
    },
    { metadata: { name: 'tool', namespace: 'here', annotations: { 'kgateway.dev/mcp-path': '/mcp' } } },
  ),
  Namespace: object('Namespace', {}, { metadata: { name: 'here', labels: { team: 'a', 'example.com/tier': 'x' } } }),
  MCPAuthPolicy: object('MCPAuthPolicy', {
    targetRefs: [
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'one' },
      { name: 'two', sectionName: 'web' },
    ],
    rules: [
      {
        matches: [
          { type: 'JWT', jwt: { claim: 'sub', value: 'me' } },
          { type: 'ServiceAccount', serviceAccount: { name: 'robot', namespace: 'there' } },
        ],
        resource: { kind: 'tool', name: 'here/tool:convert' },
      },
      { matches: [{ type: 'JWT', jwt: { claim: 'role', value: 'admin' } }], resource: { kind: 'Prompt', name: '*' } },
    ],
    jwt: {
      providers: [{ issuer: 'me', audiences: ['me.com'], jwks: { uri: 'https://issuer.example/jwks' } }],
      resourceMetadata: {
        resource: 'https://mcp.example/mcp',
        authorizationServers: ['https://issuer.example'],
        scopesSupported: ['tools'],
      },
    },
  }),
};
