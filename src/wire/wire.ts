export { agentgateway } from './agentgateway/agentgateway.ts';
export { versionOfAll } from './digest.ts';
export { sameEncoding } from './encoded-resource.ts';
export { mcpKgateway } from './mcp-kgateway.ts';
