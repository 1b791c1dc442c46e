import type { ProtectedResource } from '../config/model.ts';
import type { McpPath } from '../model.ts';

/** What is said of the gateway as a protected resource. */
export interface ResourceDocuments {
  /** The metadata by path, as JSON. */
  readonly documents: ReadonlyMap<string, string>;
  /** What challenges at a path of MCP say. */
  readonly challenges: Readonly<Record<McpPath, ResourceHint>>;
}

/** What a challenge says of the resource. */
export interface ResourceHint {
  readonly metadataUrl: string;
  readonly scopes: readonly string[];
}

const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * Writes the metadata of RFC 9728. It is served at the well-known path alone, and followed by the path of the resource
 * and by those at which MCP is spoken: clients that were told nothing try these (MCP 2025-11-25, Protected Resource
 * Metadata Discovery). Clients use only what names the URL that they have asked (RFC 9728, section 3.3), or in MCP a
 * URL above it: so `/sse` has its own where the configuration says so.
 */
export function describeResource(resource: ProtectedResource): ResourceDocuments {
  const { url, sseUrl = url, scopes } = resource;
  const [own, ofSse] = [metadataOf(resource, url), metadataOf(resource, sseUrl)];
  return {
    documents: new Map([
      [wellKnown, own.text],
      [ofSse.path, ofSse.text],
      [own.path, own.text],
      [`${wellKnown}/mcp`, own.text],
      [`${wellKnown}/sse`, ofSse.text],
    ]),
    challenges: { '/mcp': { metadataUrl: own.url, scopes }, '/sse': { metadataUrl: ofSse.url, scopes } },
  };
}

function metadataOf(resource: ProtectedResource, url: string) {
  const { origin, pathname } = new URL(url);
  const path = pathname === '/' ? wellKnown : `${wellKnown}${pathname}`;
  const metadata = {
    resource: url,
    authorization_servers: resource.authorizationServers,
    bearer_methods_supported: ['header'],
    ...(resource.scopes.length > 0 && { scopes_supported: resource.scopes }),
    ...(resource.name !== undefined && { resource_name: resource.name }),
    ...(resource.documentation !== undefined && { resource_documentation: resource.documentation }),
  };
  // Requests are looked up without a slash at the end, which the path of a resource may have.
  return { url: `${origin}${path}`, path: path.replace(/\/$/, ''), text: JSON.stringify(metadata) };
}
