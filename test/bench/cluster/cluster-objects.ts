import type { KubeApiServer } from '../../support/cluster/kube-apiserver.ts';

/** Many objects in a real API server: a Gateway, Services in ten namespaces, and policies. */
export interface ClusterObjects {
  /** The Service whose port `edit` changes, as its target is called. */
  readonly edited: string;
  /** Settles when the API server has accepted the new port. */
  edit(port: number): Promise<void>;
}

/** So many requests are under way at once: an API server on two cores takes no more. */
const together = 16;

const gateway = '/apis/gateway.networking.k8s.io/v1';
const kgateway = '/apis/gateway.kgateway.dev/v1alpha1';

/** Creates them all. Throws when the API server refuses one. */
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
  await inTurns(services, (at) => create(`/api/v1/namespaces/ns-${at % 10}/services`, service(at)));
  await inTurns(policies, (at) => create(`${kgateway}/namespaces/default/mcpauthpolicies`, policy(at)));
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

/** About as large as a Service that somebody applied with kubectl. */
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

async function inTurns(count: number, act: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const turn = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      await act(at);
    }
  };
  await Promise.all(numbers(together).map(turn));
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}
