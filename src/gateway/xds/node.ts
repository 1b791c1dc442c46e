import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { GatewayConfig } from '../config/model.ts';
import type { GatewayEnvironment } from './model.ts';

/** The part of the configuration that says who a gateway is. */
export type NodeConfig = Pick<GatewayConfig, 'metadata' | 'altXdsHostname'>;

/**
 * Who this gateway is, in the words of deployed gateways: the id `mcpgw~<ip>~<pod>.<ns>~<ns>.svc.cluster.local` and
 * metadata with `role`, from the pod's namespace and the Gateway's name. `alt_xds_hostname` goes along, and a control plane
 * may go by it. Every key of the configuration's `metadata` stands over what is there. A value that is not known is left
 * out of the metadata and is `unknown` in the id, which is for people.
 */
export function nodeOf(config: NodeConfig, environment: GatewayEnvironment): Node {
  const { POD_NAME: pod, POD_NAMESPACE: namespace, NODE_NAME: node, GW_NAME: gateway, INSTANCE_IP: ip } = environment;
  const known: [string, string | undefined][] = [
    ['NAME', pod],
    ['NAMESPACE', namespace],
    ['INSTANCE_IPS', ip],
    ['NODE_NAME', node],
    ['role', namespace && gateway ? `mcp-kgateway-kube-gateway-api~${namespace}~${gateway}` : undefined],
    ['alt_xds_hostname', config.altXdsHostname],
  ];
  const place = namespace || 'unknown';
  return Node.fromPartial({
    id: `mcpgw~${ip || 'unknown'}~${pod || 'unknown'}.${place}~${place}.svc.cluster.local`,
    metadata: Object.fromEntries([...known.filter(([, value]) => value), ...config.metadata]),
  });
}

/** Whether the metadata names a Gateway, so that a control plane can tell what this node should be given. */
export function namesGateway(node: Node): boolean {
  return ['role', 'alt_xds_hostname'].some((key) => Boolean(node.metadata?.[key]));
}
