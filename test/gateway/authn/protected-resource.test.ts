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

const well = '/.well-known/oauth-protected-resource';

describe('the metadata of the resource', () => {
  it('has the URL of the configuration, and is served with and without a path', () => {
    const { challenges, documents } = describeResource(resource);
    const hint = { metadataUrl: `https://mcp.example${well}/team/mcp`, scopes: resource.scopes };
    expect(challenges).toEqual({ '/mcp': hint, '/sse': hint });
    expect([...documents.keys()].toSorted()).toEqual([well, `${well}/mcp`, `${well}/sse`, `${well}/team/mcp`]);
    for (const text of documents.values()) {
      expect(JSON.parse(text)).toEqual({
        resource: 'https://mcp.example/team/mcp',
        authorization_servers: ['https://login.example'],
        bearer_methods_supported: ['header'],
        scopes_supported: ['mcp:use', 'mcp:list'],
        resource_name: 'Tools',
      });
    }
  });

  it('names another URL for clients at /sse where that has one, at its own path and in its challenges', () => {
    const { challenges, documents } = describeResource({ ...resource, sseUrl: 'https://mcp.example/team/sse' });
    expect(challenges['/mcp'].metadataUrl).toBe(`https://mcp.example${well}/team/mcp`);
    expect(challenges['/sse'].metadataUrl).toBe(`https://mcp.example${well}/team/sse`);
    const named = [...documents].map(([path, text]) => [path.slice(well.length), JSON.parse(text).resource]);
    expect(Object.fromEntries(named)).toEqual({
      '': 'https://mcp.example/team/mcp',
      '/mcp': 'https://mcp.example/team/mcp',
      '/team/mcp': 'https://mcp.example/team/mcp',
      '/sse': 'https://mcp.example/team/sse',
      '/team/sse': 'https://mcp.example/team/sse',
    });
  });

  it('is served where it says, also for a URL that ends with a slash', () => {
    const { challenges, documents } = describeResource({ ...resource, url: 'https://mcp.example/team/' });
    expect(challenges['/mcp'].metadataUrl).toBe(`https://mcp.example${well}/team/`);
    expect([...documents.keys()]).toContain(`${well}/team`);
  });

  it('of an origin has no path', () => {
    const { challenges } = describeResource({ ...resource, url: 'https://mcp.example' });
    expect(challenges['/mcp'].metadataUrl).toBe(`https://mcp.example${well}`);
  });
});

describe('a challenge', () => {
  const refusals = createRefusals(describeResource(resource).challenges['/mcp']);
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
