import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../../src/gateway/config/decode.ts';
import type { BootstrapConfig } from '../../../src/gateway/config/model.ts';
import { parseMounts } from '../../../src/gateway/config/mounts.ts';
import { guideConfig } from '../../support/processes/guide.ts';

describe('upstream', () => {
  const upstream = (json: unknown): BootstrapConfig['upstream'] =>
    decodeConfig({ ...guideConfig, upstream: json }, parseMounts(['/config=/m'])).config.upstream;

  it('has files, and headers that are passed on, in lower case and each once', () => {
    const json = { ca: '/config/ca', headers_file: 'headers.json', pass_headers: ['X-Tenant', 'x-tenant', 'b3'] };
    const expected = { ca: '/m/ca', headersFile: 'headers.json', passHeaders: ['x-tenant', 'b3'] };
    expect(upstream(json)).toEqual(expected);
  });

  it('may pass tokens on when it says so, with a warning', () => {
    const { warnings: said } = decodeConfig(
      { ...guideConfig, upstream: { pass_headers: ['Authorization'] } },
      (path) => path,
    );
    expect(said).toEqual([expect.stringContaining('upstream.pass_headers: names authorization, so every target gets')]);
  });

  it.each([
    ...['Mcp-Session-Id', 'mcp-param-x', 'Host', 'connection', 'TE', 'Transfer-Encoding', 'upgrade', 'content-length'],
    ...['proxy-authorization', 'keep-alive', 'trailer', 'accept', 'last-event-id', 'x y', 'a\r\nb', 'é'],
  ])('refuses to pass on %j', (name) => {
    expect(() => upstream({ pass_headers: ['b3', name] })).toThrow('upstream.pass_headers: has ');
  });

  it('refuses more headers than a request has', () => {
    const names = Array.from({ length: 33 }, (_, index) => `x-${index}`);
    expect(() => upstream({ pass_headers: names })).toThrow('upstream.pass_headers: must have at most 32 names');
  });

  it('refuses a field that is not known', () => {
    expect(() => upstream({ cas: '/ca' })).toThrow('upstream.cas: is not a field known here');
  });
});
