import { describe, expect, it } from 'vitest';
import { parseRequestUrl } from '../../src/net/request-url.ts';

describe('the target of a request', () => {
  it.each([
    ['/mcp', '/mcp', ''],
    ['/sse?sessionId=a%20b#x', '/sse', '?sessionId=a%20b'],
    ['/a/../mcp', '/mcp', ''],
    ['//evil.example/mcp', '//evil.example/mcp', ''],
    ['http://proxy.example/mcp?a=1', '/mcp', '?a=1'],
    ['HTTPS://user@proxy.example:1//mcp', '//mcp', ''],
    [undefined, '/', ''],
  ])('%s has the path %s and the query "%s"', (target, pathname, search) => {
    expect(parseRequestUrl(target)).toMatchObject({ pathname, search, host: 'server' });
  });

  it.each(['*', '', 'http://proxy.example', 'host:443'])('has none: "%s"', (target) => {
    expect(parseRequestUrl(target)).toBeNull();
  });
});
