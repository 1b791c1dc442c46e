import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  plainText,
  type Route,
  type RouteServer,
  type RoutesParts,
  serveRoutes,
} from '../../src/debug/routes.ts';
import { ListenError } from '../../src/net/http-listener.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';

const listeners: RouteServer[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop())));

const errors: unknown[] = [];
const parts: RoutesParts = {
  listener: 'test',
  clock: systemClock,
  log: createRecordedLog(),
  failed: (error) => void errors.push(error),
};
const routes = new Map<string, Route>([
  ['/', () => plainText('hello\n')],
  ['/query', (query) => json(Object.fromEntries(query), query.has('pretty'))],
  [
    '/broken',
    () => {
      throw new Error('a bug');
    },
  ],
]);

async function started(host = '127.0.0.1'): Promise<RouteServer> {
  errors.length = 0;
  const listener = await serveRoutes({ host, port: 0 }, routes, parts);
  listeners.push(listener);
  return listener;
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
}

/** Sends a request with a `Host` header of its own, which `fetch` does not allow. */
async function send({ address }: RouteServer, { path = '/', method = 'GET', host = 'localhost' }: Sent) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ host: address.host, port: address.port, path, method, headers: { host } }, resolve)
    .on('error', reject)
    .end();
  const response = await promise;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('a listener', () => {
  it.each<[Sent, number, string]>([
    [{}, 200, 'hello\n'],
    [{ method: 'HEAD' }, 200, ''],
    [{ path: '/?a=1' }, 200, 'hello\n'],
    [{ path: '/query?a=1&b=%2F' }, 200, '{"a":"1","b":"/"}\n'],
    [{ path: '/query?pretty' }, 200, '{\n  "pretty": ""\n}\n'],
    [{ path: '/Query' }, 404, 'nothing here; try /, /query, /broken\n'],
    [{ path: '/query/' }, 404, 'nothing here; try /, /query, /broken\n'],
    [{ path: '//' }, 404, 'nothing here; try /, /query, /broken\n'],
    [{ method: 'HEAD', path: '/nothing' }, 404, ''],
    [{ path: '/broken' }, 500, 'internal error\n'],
    [{ method: 'POST' }, 405, 'only GET\n'],
    [{ method: 'PUT' }, 405, 'only GET\n'],
    [{ method: 'DELETE' }, 405, 'only GET\n'],
    [{ method: 'OPTIONS' }, 405, 'only GET\n'],
    [{ method: 'POST', path: '/nothing' }, 405, 'only GET\n'],
  ])('answers %j with %d', async (sent, status, body) => {
    const { headers, ...answer } = await send(await started(), sent);
    expect(answer).toEqual({ status, body });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
    expect(errors).toEqual(status === 500 ? [new Error('a bug')] : []);
  });

  it('answers HEAD with the headers of GET', async () => {
    const listener = await started();
    const [get, head] = [await send(listener, {}), await send(listener, { method: 'HEAD' })];
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
  });

  it('fails when the port is in use', async () => {
    const { address } = await started();
    await expect(serveRoutes(address, routes, parts)).rejects.toThrow(ListenError);
  });
});

describe('the Host guard', () => {
  it.each(['127.0.0.1', 'localhost', '::ffff:127.0.0.1', '127.1'])(
    'is on when the bound address is loopback: %s',
    async (at) => {
      const listener = await started(at);
      expect(await send(listener, { host: 'evil.example' })).toMatchObject({ status: 403 });
      expect(await send(listener, { host: '127.0.0.1:9097' })).toMatchObject({ status: 200 });
    },
  );

  it.each(['0.0.0.0', '::'])('is off when the listener is open to others: %s', async (at) => {
    const listener = await started(at);
    expect(await send(listener, { host: 'evil.example' })).toMatchObject({ status: 200 });
  });
});
