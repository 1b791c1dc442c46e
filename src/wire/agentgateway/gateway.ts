import { Bind_Protocol, Protocol } from '../../gen/agentgateway/dev/resource/resource.ts';
import type { JwtProvider, McpListener } from '../../translate/model.ts';
import type { EncodedResource } from '../model.ts';
import { mcpBackendKey, type ScopeKey } from './backends.ts';
import { encodeAuthentication, encodeSentinel, type GatewayName } from './policies.ts';
import { encodeKind } from './types.ts';

/** What a served Gateway consists of, apart from its policies and targets. */
export interface ServedGateway {
  /** `<namespace>/<name>`. */
  readonly key: string;
  readonly scope: ScopeKey;
  readonly listeners: readonly McpListener[];
  readonly providers: readonly JwtProvider[];
}

/**
 * Encodes a Gateway: the policy that closes it, who may sign tokens, and for each listener Route, Listener and Bind. No
 * other function makes one of those three, so none exists without the policy that guards it.
 */
export function encodeGateway({ key, scope, listeners, providers }: ServedGateway): readonly EncodedResource[] {
  const gateway = gatewayName(key);
  return [
    encodeSentinel(gateway),
    encodeAuthentication(gateway, providers),
    ...listeners.flatMap((listener) => encodeListener(gateway, listener, mcpBackendKey(scope))),
  ];
}

/** Splits the key of a Gateway. */
export function gatewayName(key: string): GatewayName {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * The data plane keeps a Listener in the Bind that it named first, and a Route in the Listener that it named first. So
 * port and listener are in all three keys, and no key ever changes what it points at.
 */
function encodeListener(gateway: GatewayName, listener: McpListener, backend: string): readonly EncodedResource[] {
  const { namespace, name } = gateway;
  const { port, name: section } = listener;
  const bindKey = `${port}/${namespace}/${name}`;
  const key = `${bindKey}.${section}`;
  return [
    encodeKind('route', {
      key,
      listenerKey: key,
      name: { kind: 'Gateway', name: `${name}.${section}`, namespace },
      hostnames: [],
      matches: [{ path: { kind: { $case: 'pathPrefix', value: '/' } } }],
      backends: [{ backend: { kind: { $case: 'backend', value: backend } }, weight: 1 }],
    }),
    encodeKind('listener', {
      key,
      bindKey,
      name: { gatewayName: name, gatewayNamespace: namespace, listenerName: section },
      hostname: '',
      protocol: Protocol.HTTP,
    }),
    encodeKind('bind', { key: bindKey, port, protocol: Bind_Protocol.HTTP }),
  ];
}
