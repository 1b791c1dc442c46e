import {
  Backend,
  MCPBackend,
  MCPBackend_FailureMode,
  MCPBackend_PrefixMode,
  MCPBackend_StatefulMode,
  MCPTarget_Protocol,
} from '../../gen/agentgateway/dev/resource/resource.ts';
import type { NamespaceScope, Target } from '../../translate/model.ts';
import { versionOfAll } from '../digest.ts';
import { encode, encodeResource } from '../encoded-resource.ts';
import type { EncodedResource } from '../model.ts';
import { allowNothing } from './cel.ts';
import { authorization } from './policies.ts';
import { dottedName } from './target-name.ts';
import { encodeKind, mcpBackendPrefix, resourceType } from './types.ts';

/** The port at which the binaries of spring 2025 use TLS, whose manifests this dialect serves unchanged. */
const tlsPort = 443;

/** Encodes the Backend of one target: its address alone, so that an edit of it changes this one resource. */
export function encodeTargetBackend({ name, namespace, host, port }: Target): EncodedResource {
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  const tls = { kind: { $case: 'backendTls', value: { hostname: address } } } as const;
  return encodeKind('backend', {
    key: dottedName(name),
    name: { name: dottedName(name), namespace },
    kind: { $case: 'static', value: { host: address, port } },
    inlinePolicies: port === tlsPort ? [tls] : [],
  });
}

/** The namespace of a target by the name of its Backend; the empty text for the name of another resource. */
export function namespaceOfBackend(name: string): string {
  return name.startsWith(mcpBackendPrefix) ? '' : name.slice(name.lastIndexOf('.') + 1);
}

/** A target as an MCP Backend lists it, encoded once for all of them. */
export interface ListedTarget {
  readonly namespace: string;
  readonly name: string;
  /** The whole field `targets` of an MCPBackend. */
  readonly field: Uint8Array;
}

/** Encodes the entry of a target in the list: everything but its address. */
export function encodeListedTarget(target: Target): ListedTarget {
  const name = dottedName(target.name);
  const { protocol, path } = transportOf(target);
  const entry = { name, backend: { kind: { $case: 'backend', value: name } }, path, protocol } as const;
  return {
    namespace: target.namespace,
    name,
    field: encode((writer) => MCPBackend.encode({ ...noFields, targets: [entry] }, writer)),
  };
}

/** Compares two entries of lists. */
export function sameListedTarget(a: ListedTarget, b: ListedTarget): boolean {
  return a.name === b.name && Buffer.compare(a.field, b.field) === 0;
}

/** Fields with their defaults: encoded alone, such a message is empty. */
const noFields: MCPBackend = {
  targets: [],
  statefulMode: MCPBackend_StatefulMode.STATEFUL,
  prefixMode: MCPBackend_PrefixMode.CONDITIONAL,
  failureMode: MCPBackend_FailureMode.FAIL_CLOSED,
};

/** Paths of servers that declare none. */
const ssePath = '/sse';
const streamablePath = '/mcp';

/**
 * The transport of a target. `kgateway.dev/mcp` is what the manifests of spring 2025 declare for either transport: it is
 * SSE without a path, and with one that ends in `/sse`.
 */
function transportOf({ appProtocol, path }: Target): { readonly protocol: MCPTarget_Protocol; readonly path: string } {
  const sse = { protocol: MCPTarget_Protocol.SSE, path: path || ssePath };
  const streamable = { protocol: MCPTarget_Protocol.STREAMABLE_HTTP, path: path || streamablePath };
  switch (appProtocol) {
    case 'kgateway.dev/mcp-sse':
    case 'agentgateway.dev/mcp-sse':
      return sse;
    case 'agentgateway.dev/mcp':
      return streamable;
    case 'kgateway.dev/mcp':
      return path === '' || path.endsWith(ssePath) ? sse : streamable;
  }
}

/** Numbers of `Resource.backend` and `Backend.mcp`, both length-delimited. */
const backendTag = (4 << 3) | 2;
const mcpTag = (5 << 3) | 2;

/**
 * Encodes the MCP Backend of a scope, which all Gateways of that scope share. Its own policy allows nothing, and counts
 * with those of the Gateway: no list of targets exists that is reachable without authorization.
 */
export function encodeMcpBackend(scope: ScopeKey, targets: readonly ListedTarget[]): EncodedResource {
  const key = mcpBackendKey(scope);
  const ordered = targets.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const message = encode((writer) => {
    writer.uint32(backendTag).fork();
    Backend.encode({ key, name: { name: key, namespace: '' }, kind: undefined, inlinePolicies: [closed] }, writer);
    writer.uint32(mcpTag).fork();
    for (const { field } of ordered) writer.raw(field);
    MCPBackend.encode(
      { ...noFields, prefixMode: MCPBackend_PrefixMode.ALWAYS, failureMode: MCPBackend_FailureMode.FAIL_OPEN },
      writer,
    );
    writer.join().join();
  });
  return encodeResource(resourceType.typeUrl, `backend/${key}`, message);
}

const closed = authorization(allowNothing);

/** The namespaces of a scope as one text, by which Gateways share an MCP Backend. */
export type ScopeKey = string;

/** Returns the key of a scope. Names of namespaces contain no comma, so different scopes have different keys. */
export function scopeKey(scope: NamespaceScope): ScopeKey {
  return scope.kind === 'namespaces' ? ['in', ...scope.namespaces].join() : scope.kind;
}

/** Returns the scope of a key that `scopeKey` returned. */
export function namespacesOf(key: ScopeKey): 'all' | readonly string[] {
  return key === 'all' ? 'all' : key.split(',').slice(1);
}

/** Returns the key of a scope's MCP Backend. The key of a target's Backend contains no slash. */
export function mcpBackendKey(scope: ScopeKey): string {
  const named = scope === 'all' || scope === 'none';
  return `${mcpBackendPrefix.slice('backend/'.length)}${named ? scope : versionOfAll(scope.split(','))}`;
}
