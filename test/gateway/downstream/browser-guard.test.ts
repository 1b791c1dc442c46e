import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/gateway/flags.ts';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends a request with headers that `fetch` does not allow to set. */
function ask(gateway: GatewayRig, method: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asking = request(`${gateway.url}/mcp`, { method, headers }, (response) => {
    text(response).then((body) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    }, reject);
  });
  asking.on('error', reject).end();
  return promise;
}

describe('the origin of a request', () => {
  it.each([
    ['http://localhost', true],
    ['http://localhost:6274', true],
    ['https://app.localhost:1', true],
    ['http://127.0.0.1:6274', true],
    ['http://127.9.9.9', true],
    ['http://[::1]:6274', true],
    ['https://allowed.example', true],
    ['https://allowed.example:444', false],
    ['https://evil.example', false],
    ['http://localhost.evil.example', false],
    ['http://127.0.0.1.evil.example', false],
    ['http://127.0.0.1@evil.example', false],
    ['http://evil.example/http://localhost', false],
    ['file://', false],
    ['null', false],
    ['', false],
  ])('"%s" is allowed: %s', async (origin, allowed) => {
    await using gateway = await startGateway({ allowedOrigins: ['https://allowed.example'] });
    const { status, headers, body } = await ask(gateway, 'POST', { origin });
    expect(status).toBe(allowed ? 401 : 403);
    expect(headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
    if (!allowed) expect(body).toContain('allow the origin of a page with --allow-origin');
    if (allowed) expect(headers['access-control-expose-headers']).toMatch(/Mcp-Session-Id.*WWW-Authenticate/);
  });
});

describe('the origin of an extension or application', () => {
  it.each([
    'chrome-extension://abcdefghijklmnop',
    'tauri://localhost',
    'vscode-webview://0a1b2c',
    'app://obsidian.md',
    'app://.',
    'capacitor://localhost',
    'app://x:8080',
  ])('is compared as text: %s', async (origin) => {
    const flags = { mount: [], resolve: [], adminListen: '127.0.0.1:0', allowedHosts: [] };
    expect(() => parseFlags({ ...flags, allowedOrigins: [origin] })).not.toThrow();
    await using gateway = await startGateway({ allowedOrigins: [origin] });
    const allowed = await ask(gateway, 'POST', { origin });
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([401, origin]);
    for (const other of [`${origin}x`, `${origin}/`, origin.toUpperCase(), `x${origin}`, 'null']) {
      expect((await ask(gateway, 'POST', { origin: other })).status, other).toBe(403);
    }
  });

  it.each([
    ...['https://App.example', 'https://a.example:443', 'https://a.example/', 'https://*.example', 'https://', '*'],
    ...['null', '', 'file://', 'data:,x', 'tauri:', 'tauri:localhost', 'chrome-extension://A', 'app://a/', 'app://a?b'],
    ...['app://a#b', 'app://u@a', 'app://a b', 'App://a', 'blob:https://a.example', 'app://a:x', 'app://*'],
  ])('is refused as a value of --allow-origin that no browser sends: "%s"', (origin) => {
    const flags = { mount: [], resolve: [], adminListen: '127.0.0.1:0', allowedHosts: [] };
    expect(() => parseFlags({ ...flags, allowedOrigins: [origin] })).toThrow('write it as browsers do');
  });
});

describe('an origin', () => {
  it('may be missing, since only browsers send it', async () => {
    await using gateway = await startGateway();
    const { status, headers } = await ask(gateway, 'POST', {});
    expect(status).toBe(401);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('decides about a preflight, which has no token', async () => {
    await using gateway = await startGateway();
    const wanted = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-custom',
    };
    const allowed = await ask(gateway, 'OPTIONS', { origin: 'http://localhost:6274', ...wanted });
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:6274',
      'access-control-allow-methods': expect.stringContaining('DELETE'),
      'access-control-allow-headers': 'authorization,x-custom',
      vary: 'Origin',
    });
    expect((await ask(gateway, 'OPTIONS', { origin: 'https://evil.example', ...wanted })).status).toBe(403);
  });
});

describe('the host of a request to a loopback listener', () => {
  it.each([
    ['localhost', true],
    ['localhost:8080', true],
    ['127.0.0.1:1', true],
    ['[::1]:1', true],
    ['evil.example', false],
    ['evil.example:80', false],
    ['localhost@evil.example', false],
    ['localhost/evil', false],
    ['169.254.169.254', false],
  ])('"%s" is allowed: %s', async (host, answered) => {
    await using gateway = await startGateway();
    expect((await ask(gateway, 'POST', { host })).status).toBe(answered ? 401 : 403);
  });

  it('may be a name of --allow-host, with any port, in any case', async () => {
    await using gateway = await startGateway({ allowedHosts: ['gateway.example', '[fd00::1]'] });
    for (const [host, status] of [
      ['gateway.example', 401],
      ['Gateway.example:8443', 401],
      ['[fd00::1]:80', 401],
      ['x.gateway.example', 403],
      ['gateway.example.evil.example', 403],
      ['gateway.example@evil.example', 403],
      ['gateway.example:x', 403],
    ] as const) {
      expect((await ask(gateway, 'POST', { host })).status, host).toBe(status);
    }
  });

  it.each(['https://gateway.example', 'gateway.example:80', 'Gateway.example', '*', '', 'a..b', 'a b'])(
    'is refused as a value of --allow-host that no header has: "%s"',
    (host) => {
      const flags = { mount: [], resolve: [], adminListen: '127.0.0.1:0', allowedOrigins: [] };
      expect(() => parseFlags({ ...flags, allowedHosts: [host] })).toThrow('write a host name');
    },
  );

  it('may be any name when the listener is not bound to loopback', async () => {
    await using gateway = await startGateway({ listensOnLoopback: false });
    expect((await ask(gateway, 'POST', { host: 'gateway.example' })).status).toBe(401);
  });
});
