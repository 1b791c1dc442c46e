export { versionOfAll } from './digest.ts';
export { discoveryResponse } from './discovery-response.ts';
export { sameEncoding } from './encoded-resource.ts';
export { mcpKgateway } from './mcp-kgateway.ts';
