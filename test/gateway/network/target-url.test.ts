import { describe, expect, it } from 'vitest';
import { targetUrl } from '../../../src/gateway/network/target-url.ts';

describe('the URL of a target', () => {
  it.each([
    ['10.0.0.1', 8080, '/mcp', 'http://10.0.0.1:8080/mcp'],
    ['tool.default.svc.cluster.local', 80, '', 'http://tool.default.svc.cluster.local/sse'],
    ['tool', 443, '/sse', 'https://tool/sse'],
    ['[fd00::1]', 8080, '/sse', 'http://[fd00::1]:8080/sse'],
    ['tool', 65535, '/a%20b/ü?x=1', 'http://tool:65535/a%20b/%C3%BC?x=1'],
  ])('of %s, %d, %j is %s', (host, port, path, url) => {
    expect(targetUrl({ host, port, path })?.href).toBe(url);
  });

  it.each([
    ['', 80, ''],
    ['tool', 0, ''],
    ['tool', 65536, ''],
    ['tool', 1.5, ''],
    ['fd00::1', 80, ''],
    ['[tool]', 80, ''],
    ['user@tool', 80, ''],
    ['tool/x', 80, ''],
    ['tool:1', 80, ''],
    ['to ol', 80, ''],
    ['tool?', 80, ''],
    ['1.2.3.4.5.', 80, ''],
    [`${'a'.repeat(63)}.`.repeat(4), 80, ''],
    ['tool', 80, 'sse'],
    ['tool', 80, '@evil/'],
    ['tool', 80, '/a b'],
    ['tool', 80, '/a\nb'],
    ['tool', 80, '/a#b'],
    ['tool', 80, '/a\\b'],
  ])('is undefined for %j, %d, %j', (host, port, path) => {
    expect(targetUrl({ host, port, path })).toBeUndefined();
  });
});
