import { describe, expect, it } from 'vitest';
import { createRefusals } from '../../../src/gateway/authn/bearer.ts';
import { describeResource } from '../../../src/gateway/authn/protected-resource.ts';

const resource = {
  url: 'https://mcp.example/team/mcp',
  authorizationServers: ['https://login.example'],
  scopes: ['mcp:use', 'mcp:list'],
  name: 'Tools',
  documentation: undefined,
};

describe('the metadata of the resource', () => {
  it('has the URL of the configuration, and is served with and without a path', () => {
    const { metadataUrl, paths, text } = describeResource(resource);
    expect(metadataUrl).toBe('https://mcp.example/.well-known/oauth-protected-resource/team/mcp');
    expect([...paths]).toEqual([
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/team/mcp',
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource/sse',
    ]);
    expect(JSON.parse(text)).toEqual({
      resource: 'https://mcp.example/team/mcp',
      authorization_servers: ['https://login.example'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp:use', 'mcp:list'],
      resource_name: 'Tools',
    });
  });

  it('is served where it says, also for a URL that ends with a slash', () => {
    const { metadataUrl, paths } = describeResource({ ...resource, url: 'https://mcp.example/team/' });
    expect(metadataUrl).toBe('https://mcp.example/.well-known/oauth-protected-resource/team/');
    expect(paths).toContain('/.well-known/oauth-protected-resource/team');
  });

  it('of an origin has no path', () => {
    expect(describeResource({ ...resource, url: 'https://mcp.example' }).metadataUrl).toBe(
      'https://mcp.example/.well-known/oauth-protected-resource',
    );
  });
});

describe('a challenge', () => {
  const refusals = createRefusals(describeResource(resource));
  const place = 'resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/team/mcp"';

  it('says where the metadata is and which scopes to ask for', () => {
    expect(refusals.missing()).toMatchObject({
      challenge: `Bearer realm="mcp-gateway", ${place}, scope="mcp:use mcp:list"`,
    });
  });

  it('says also what is wrong with a token', () => {
    expect(refusals.invalid('X', 'The token has expired')).toMatchObject({
      challenge: `Bearer realm="mcp-gateway", error="invalid_token", error_description="The token has expired", ${place}, scope="mcp:use mcp:list"`,
    });
  });

  it('says the same of a token that expires while its request arrives', () => {
    expect(refusals.invalid('X', 'The token has expired')).toMatchObject({ challenge: refusals.expired });
  });

  it('says neither when nothing is configured', () => {
    expect(createRefusals(undefined).missing()).toMatchObject({ challenge: 'Bearer realm="mcp-gateway"' });
  });
});
