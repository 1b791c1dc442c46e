import type { KubeApiServer } from '../../support/cluster/kube-apiserver.ts';

/** Objects in a real API server: a Gateway, Services in ten namespaces, and policies. */
export interface ClusterObjects {
  /** Name of the target whose port `edit` changes. */
  readonly edited: string;
  /** Patches the Service; resolves when the API server has accepted it. */
  edit(port: number): Promise<void>;
}

/** Limit of concurrent requests, for an API server on two cores. */
const concurrency = 16;

const gateway = '/apis/gateway.networking.k8s.io/v1';
const kgateway = '/apis/gateway.kgateway.dev/v1alpha1';

/** Throws if the API server rejects an object. */
export async function createClusterObjects(
  api: KubeApiServer,
  services: number,
  policies: number,
): Promise<ClusterObjects> {
  const create = async (path: string, body: object): Promise<void> => {
    const { status, text } = await api.request(path, { method: 'POST', body });
    if (status !== 201) throw new Error(`${path}: ${status} ${text.slice(0, 500)}`);
  };
  for (const namespace of numbers(10)) await create('/api/v1/namespaces', { metadata: { name: `ns-${namespace}` } });
  await create(`${gateway}/gatewayclasses`, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'mcp' },
    spec: { controllerName: 'kgateway.dev/kgateway' },
  });
  await create(`${gateway}/namespaces/default/gateways`, mcpGateway);
  await concurrently(services, (at) => create(`/api/v1/namespaces/ns-${at % 10}/services`, service(at)));
  await concurrently(policies, (at) => create(`${kgateway}/namespaces/default/mcpauthpolicies`, policy(at)));
  return {
    edited: 'ns-0/tool-0',
    edit: async (port) => {
      const body = { spec: { ports: [{ port, appProtocol: 'kgateway.dev/mcp' }] } };
      const type = 'application/merge-patch+json';
      const { status, text } = await api.request('/api/v1/namespaces/ns-0/services/tool-0', {
        method: 'PATCH',
        type,
        body,
      });
      if (status !== 200) throw new Error(text);
    },
  };
}

const mcpGateway = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'gw' },
  spec: {
    gatewayClassName: 'mcp',
    listeners: [
      { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces: { from: 'All' } } },
    ],
  },
};

/** Has the size of a Service that was applied with kubectl. */
function service(at: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `tool-${at}`,
      labels: { app: `tool-${at}`, 'app.kubernetes.io/managed-by': 'bench', team: `team-${at % 7}` },
      annotations: {
        'example.com/owner': `team-${at % 7}`,
        'example.com/description': 'A server of tools. '.repeat(10),
      },
    },
    spec: { selector: { app: `tool-${at}` }, ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] },
  };
}

function policy(at: number): object {
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name: `policy-${at}` },
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }],
      rules: [
        {
          matches: [{ type: 'JWT', jwt: { claim: 'sub', value: `user-${at}` } }],
          resource: { kind: 'tool', name: `ns-${at % 10}/tool-${at}:run` },
        },
      ],
    },
  };
}

async function concurrently(count: number, run: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      await run(at);
    }
  };
  await Promise.all(numbers(concurrency).map(worker));
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}
