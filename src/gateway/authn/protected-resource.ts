import type { ProtectedResource } from '../config/model.ts';
import type { PublicDocument } from '../model.ts';

/** The metadata of the gateway as a protected resource, with what challenges say of it. */
export interface ResourceDocument extends PublicDocument {
  readonly metadataUrl: string;
  readonly scopes: readonly string[];
}

const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * Writes the metadata of RFC 9728. It is served at the well-known path alone, and followed by the path of the resource
 * and by those at which MCP is spoken: clients that were told nothing try these (MCP 2025-11-25, Protected Resource
 * Metadata Discovery). All of them name the one resource of the configuration.
 */
export function describeResource(resource: ProtectedResource): ResourceDocument {
  const { origin, pathname } = new URL(resource.url);
  const own = pathname === '/' ? wellKnown : `${wellKnown}${pathname}`;
  const metadata = {
    resource: resource.url,
    authorization_servers: resource.authorizationServers,
    bearer_methods_supported: ['header'],
    ...(resource.scopes.length > 0 && { scopes_supported: resource.scopes }),
    ...(resource.name !== undefined && { resource_name: resource.name }),
    ...(resource.documentation !== undefined && { resource_documentation: resource.documentation }),
  };
  return {
    metadataUrl: `${origin}${own}`,
    scopes: resource.scopes,
    // Requests are looked up without a slash at the end, which the path of a resource may have.
    paths: new Set([wellKnown, own.replace(/\/$/, ''), `${wellKnown}/mcp`, `${wellKnown}/sse`]),
    text: JSON.stringify(metadata),
  };
}
