import { Resource } from '../../gen/agentgateway/dev/resource/resource.ts';
import { encode, encodeResource } from '../encoded-resource.ts';
import type { EncodedResource, ResourceType, UpdateOrder } from '../model.ts';

/** The kinds of resources; the first part of a resource name. */
type Kind = 'policy' | 'backend' | 'route' | 'listener' | 'bind';

/**
 * What guards comes before what it guards, and what others refer to before them. A Bind opens a socket, so it is last.
 */
const ranks: Readonly<Record<Kind, number>> = { policy: 1, backend: 2, route: 4, listener: 5, bind: 6 };

/** How the names of the sentinels begin, the policies that allow nothing. */
export const sentinelPrefix = 'policy/sentinel:';

/** How the names of MCP Backends begin, which list targets; a target's own Backend has none of this. */
export const mcpBackendPrefix = 'backend/mcp/';

const updateOrder: UpdateOrder = {
  rank: (name) => {
    if (name.startsWith(sentinelPrefix)) return 0;
    if (name.startsWith(mcpBackendPrefix)) return 3;
    return ranks[kindOf(name)];
  },
  // The message limit of the gRPC client in agentgateway.
  maxResponse: 200 * 1024 * 1024,
};

/** The type of everything but a node's own Workload. Names of all kinds share one namespace. */
export const resourceType: ResourceType = {
  typeUrl: 'type.googleapis.com/agentgateway.dev.resource.Resource',
  dialect: 'agentgateway.dev',
  fullState: true,
  legacyWildcard: true,
  pushOrder: 3,
  updateOrder,
};

type Message<K extends Kind> = Extract<NonNullable<Resource['kind']>, { readonly $case: K }>['value'];

/** Encodes a resource under the name by which the data plane removes it, `<kind>/<key>`. */
export function encodeKind<K extends Kind>(kind: K, value: Message<K> & { readonly key: string }): EncodedResource {
  // TypeScript does not relate the two parameters of a union's member.
  const member = { $case: kind, value } as NonNullable<Resource['kind']>;
  const message = encode((writer) => Resource.encode({ kind: member }, writer));
  return encodeResource(resourceType.typeUrl, `${kind}/${value.key}`, message);
}

function kindOf(name: string): Kind {
  const kind = name.slice(0, name.indexOf('/'));
  return isKind(kind) ? kind : 'policy';
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(ranks, text);
}
