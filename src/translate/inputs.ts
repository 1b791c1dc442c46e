import type { Graph, Source } from '../graph/model.ts';
import type { KindName, ResourceByKind } from '../resources/model.ts';
import type { BundleVersions, FetchedKeys, UnlistedNamespaces } from './model.ts';

/** The sources of the translation. Keys are `<namespace>/<name>`, or the name of a cluster-scoped object. */
export interface Inputs {
  readonly resources: { readonly [K in KindName]: Source<ResourceByKind[K]> };
  /** One entry under the empty key; without it, the labels of namespaces without an object are unknown. */
  readonly unlistedNamespaces: Source<UnlistedNamespaces>;
  /** One entry under the empty key; none without a cluster: then no class has the condition `SupportedVersion`. */
  readonly bundle: Source<BundleVersions>;
  /** What each `jwks.uri` answered, by URI; none as long as it did not answer. */
  readonly fetchedKeys: Source<FetchedKeys>;
  /** Sets or (`undefined`) deletes one object. Throws outside of a commit. */
  apply<K extends KindName>(change: {
    readonly kind: K;
    readonly key: string;
    readonly resource: ResourceByKind[K] | undefined;
  }): void;
}

/** Creates empty sources in a graph. */
export function createInputs(graph: Graph): Inputs {
  const source = <K extends KindName>(name: K): Source<ResourceByKind[K]> => graph.source({ name });
  const resources: Inputs['resources'] = {
    GatewayClass: source('GatewayClass'),
    GatewayParameters: source('GatewayParameters'),
    Gateway: source('Gateway'),
    Service: source('Service'),
    Namespace: source('Namespace'),
    MCPAuthPolicy: source('MCPAuthPolicy'),
  };
  return {
    resources,
    unlistedNamespaces: graph.source({ name: 'unlistedNamespaces' }),
    bundle: graph.source({ name: 'bundle' }),
    fetchedKeys: graph.source({ name: 'fetchedKeys' }),
    apply: ({ kind, key, resource }) => {
      if (resource === undefined) resources[kind].delete(key);
      else resources[kind].set(key, resource);
    },
  };
}
