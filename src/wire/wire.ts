import { agentgateway } from './agentgateway/agentgateway.ts';
import { mcpKgateway } from './mcp-kgateway.ts';
import type { Dialect } from './model.ts';

export { agentgateway } from './agentgateway/agentgateway.ts';
export { versionOfAll } from './digest.ts';
export { discoveryResponse } from './discovery-response.ts';
export { sameEncoding } from './encoded-resource.ts';
export { mcpKgateway } from './mcp-kgateway.ts';

/** All dialects, the one that is encoded always first. */
export const dialects: readonly Dialect[] = [
  {
    name: 'mcp.kgateway.dev',
    types: [mcpKgateway.configType, mcpKgateway.targetType],
    counted: { targets: mcpKgateway.targetType, policies: mcpKgateway.configType },
    encodeTarget: mcpKgateway.encodeTarget,
    encodePolicy: (config) => [mcpKgateway.encodeConfig(config)],
  },
  {
    name: 'agentgateway.dev',
    types: [agentgateway.addressType.type, agentgateway.resourceType],
    encodeTarget: agentgateway.encodeTargetBackend,
    encodePolicy: (config, gateways) => {
      const allow = agentgateway.allowList(config.rules);
      if (allow === undefined) return [];
      const list = agentgateway.encodeAllowList(allow);
      return gateways.map((gateway) => agentgateway.encodePolicy(agentgateway.gatewayName(gateway), config, list));
    },
  },
];
