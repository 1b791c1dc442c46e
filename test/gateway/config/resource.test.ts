import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../../src/gateway/config/decode.ts';
import type { JwtAuthnConfig } from '../../../src/gateway/config/model.ts';

function decode(authn: object): JwtAuthnConfig | undefined {
  const issuers = [{ issuer: 'https://a.example' }];
  const listener = { type: 'sse', host: '::1', port: 0, authn: { type: 'jwt', issuers, ...authn } };
  const { config } = decodeConfig({ type: 'xds', xds_address: 'http://127.0.0.1:9977', listener }, (path) => path);
  return config.listener.type === 'sse' ? config.listener.authn : undefined;
}

describe('a resource with a URL of its own at /sse', () => {
  const resource = { url: 'https://mcp.example/mcp', sse_url: 'https://mcp.example/sse' };

  it('is one more audience, when none is listed', () => {
    expect(decode({ resource })).toMatchObject({
      audiences: ['https://mcp.example/mcp', 'https://mcp.example/sse'],
      resource: { url: 'https://mcp.example/mcp', sseUrl: 'https://mcp.example/sse' },
    });
    expect(decode({ resource, audience: ['me.com'] })).toMatchObject({ audiences: ['me.com'] });
    expect(decode({ resource: { url: resource.url } })).toMatchObject({ audiences: ['https://mcp.example/mcp'] });
  });

  it.each(['https://mcp.example/sse?a', 'https://me@mcp.example', '/sse', 'ftp://mcp.example'])(
    'is refused when that is %s',
    (url) => {
      expect(() => decode({ resource: { ...resource, sse_url: url } })).toThrow(
        'listener.authn.resource.sse_url: must be an https:// or http:// URL',
      );
    },
  );
});
