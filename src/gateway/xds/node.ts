import type { Random } from '../../edges.ts';
import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { BootstrapConfig } from '../config/model.ts';
import type { GatewayEnvironment } from './model.ts';

/** The part of the configuration that identifies the node. */
export type NodeConfig = Pick<BootstrapConfig, 'metadata' | 'altXdsHostname'>;

/**
 * Builds the xDS node in the format of the deployed gateways: the id `mcpgw~<ip>~<pod>.<ns>~<ns>.svc.cluster.local`,
 * and metadata with `role`, which contains the pod's namespace and the Gateway's name, and with `alt_xds_hostname`. The
 * configuration's `metadata` has precedence. A value that is not known is omitted from the metadata, and is `unknown`
 * in the id; instead of an unknown pod the id has `local-` and eight random letters, so that two gateways on one
 * machine are two nodes.
 */
export function nodeOf(config: NodeConfig, environment: GatewayEnvironment, random: Random): Node {
  const { POD_NAME: pod, POD_NAMESPACE: namespace, NODE_NAME: node, GW_NAME: gateway, INSTANCE_IP: ip } = environment;
  const known: [string, string | undefined][] = [
    ['NAME', pod],
    ['NAMESPACE', namespace],
    ['INSTANCE_IPS', ip],
    ['NODE_NAME', node],
    ['role', namespace && gateway ? `mcp-kgateway-kube-gateway-api~${namespace}~${gateway}` : undefined],
    ['alt_xds_hostname', config.altXdsHostname],
  ];
  const idNamespace = namespace || 'unknown';
  return Node.fromPartial({
    id: `mcpgw~${ip || 'unknown'}~${pod || `local-${randomLetters(random)}`}.${idNamespace}~${idNamespace}.svc.cluster.local`,
    metadata: Object.fromEntries([...known.filter(([, value]) => value), ...config.metadata]),
  });
}

function randomLetters(random: Random): string {
  return Array.from({ length: 8 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
}

/**
 * Returns what the metadata names the Gateway by, for the log: the host name if there is one, else the role.
 */
export function gatewayNamedBy(node: Node): string | undefined {
  const { alt_xds_hostname: hostName, role } = node.metadata ?? {};
  return [hostName, role].find((name): name is string => typeof name === 'string' && name !== '');
}

/**
 * Returns whether the metadata identifies a Gateway, which a control plane needs to select the resources of this node.
 */
export function namesGateway(node: Node): boolean {
  return ['role', 'alt_xds_hostname'].some((key) => Boolean(node.metadata?.[key]));
}

/**
 * Returns the metadata that decides which resources a node gets: all but what differs from one instance of a gateway to
 * the next.
 */
export function lastingMetadata(node: Node): Readonly<Record<string, unknown>> {
  const { NAME: _pod, INSTANCE_IPS: _ip, NODE_NAME: _machine, ...lasting } = node.metadata ?? {};
  return lasting;
}
