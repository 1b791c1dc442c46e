import { once } from 'node:events';
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
import type { RequestGuard } from '../../src/net/guard/request-guard.ts';
import { ListenError } from '../../src/net/listener/http-listener.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';

const listeners: RouteServer[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop())));

const errors: unknown[] = [];
const parts: RoutesParts = {
  listener: 'test',
  guard: undefined,
  certificate: undefined,
  clock: systemClock,
  log: createRecordedLog(),
  failed: (error) => void errors.push(error),
};
let waits: Promise<void> = Promise.resolve();
let entered = 0;
const allEntered = Promise.withResolvers<void>();
const routes = new Map<string, Route>([
  ['/long', { get: () => plainText('x'.repeat(16 * 1024 * 1024)) }],
  ['/', { get: () => plainText('hello\n') }],
  ['/healthz', { probe: () => plainText('ok\n') }],
  ['/query', { get: (query) => json(Object.fromEntries(query), query.has('pretty')) }],
  [
    '/broken',
    {
      get: () => {
        throw new Error('a bug');
      },
    },
  ],
  [
    '/slow',
    {
      get: async () => {
        entered += 1;
        if (entered === 48) allEntered.resolve();
        await waits;
        return plainText('at last\n');
      },
    },
  ],
  [
    '/changed',
    {
      get: () => json('as it was', false),
      put: (body) => json(body, false),
      post: (body, query) => json([body, Object.fromEntries(query)], false),
    },
  ],
  // No answer names what only the page loads.
  ['/page/main.js', { get: () => json('a file of the page', false) }],
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
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly localAddress?: string;
}

/** Sends a request with a `Host` header of its own, which `fetch` does not allow. */
async function send({ address }: RouteServer, { path = '/', method = 'GET', host = 'localhost', ...sent }: Sent) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { localAddress } = sent;
  const to = { host: address.host, port: address.port, ...(localAddress && { localAddress }) };
  request({ ...to, path, method, headers: { host, ...sent.headers } }, resolve)
    .on('error', reject)
    .end(sent.body);
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
    [{ path: '/Query' }, 404, '{"error":"nothing here; try /long, /, /healthz, /query, /broken, /slow, /changed."}\n'],
    [{ path: '/query/' }, 404, '{"error":"nothing here; try /long, /, /healthz, /query, /broken, /slow, /changed."}\n'],
    [{ path: '//' }, 404, '{"error":"nothing here; try /long, /, /healthz, /query, /broken, /slow, /changed."}\n'],
    [{ method: 'HEAD', path: '/nothing' }, 404, ''],
    [{ path: '/broken' }, 500, '{"error":"internal error: the log has it."}\n'],
    [{ method: 'POST' }, 405, '{"error":"only GET, HEAD."}\n'],
    [{ method: 'PUT' }, 405, '{"error":"only GET, HEAD."}\n'],
    [{ method: 'DELETE' }, 405, '{"error":"only GET, HEAD."}\n'],
    [{ method: 'OPTIONS' }, 405, '{"error":"only GET, HEAD."}\n'],
    [
      { method: 'POST', path: '/nothing' },
      404,
      '{"error":"nothing here; try /long, /, /healthz, /query, /broken, /slow, /changed."}\n',
    ],
  ])('answers %j with %d', async (sent, status, body) => {
    const { headers, ...answer } = await send(await started(), sent);
    expect(answer).toEqual({ status, body });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined);
    expect(errors).toEqual(status === 500 ? [new Error('a bug')] : []);
  });
});

describe('a listener that reads bodies', () => {
  it.each<[string, Sent, number, string]>([
    ['a body', { body: '{"a":1}' }, 200, '{"a":1}\n'],
    ['a POST with a query', { method: 'POST', path: '/changed?b=2', body: '1' }, 200, '[1,{"b":"2"}]\n'],
    ['its own origin', { headers: { origin: 'http://localhost' }, body: '1' }, 200, '1\n'],
    ['another origin', { headers: { origin: 'http://evil.example' }, body: '1' }, 403, 'another origin'],
    ['another port of this machine', { headers: { origin: 'http://localhost:1' }, body: '1' }, 403, 'another origin'],
    ['the origin of a sandbox', { headers: { origin: 'null' }, body: '1' }, 403, 'another origin'],
    ['a form', { headers: { 'content-type': 'text/plain' }, body: '1' }, 415, 'content-type: application/json'],
    ['no JSON', { body: '{' }, 400, 'not JSON'],
    ['a long body', { body: JSON.stringify('x'.repeat(64 * 1024)) }, 413, 'larger than 65536 bytes'],
    ['many values', { body: JSON.stringify(Array(10_000).fill(0)) }, 413, 'more than 5000 values'],
    ['deep values', { body: '['.repeat(100) }, 413, '50 levels'],
  ])('reads bodies: %s', async (_, sent, status, body) => {
    const headers = { 'content-type': 'application/json', ...sent.headers };
    const answer = await send(await started(), { method: 'PUT', path: '/changed', ...sent, headers });
    expect(answer).toMatchObject({ status, body: expect.stringContaining(body) });
  });

  it('answers some requests of an address at once, and tells further ones to come again', async () => {
    const listener = await started();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    waits = held;
    const waiting = Array.from({ length: 48 }, () => send(listener, { path: '/slow' }));
    await allEntered.promise;
    const refused = await send(listener, {});
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    // Neither probes nor other addresses are kept out.
    expect(await send(listener, { path: '/healthz' })).toMatchObject({ status: 200, body: 'ok\n' });
    expect((await send(listener, { localAddress: '127.0.0.2' })).status).toBe(200);
    release();
    for (const answer of waiting) expect((await answer).status).toBe(200);
    expect((await send(listener, {})).status).toBe(200);
  });

  it('holds 64 MiB of answers that nobody reads, and says so to who asks for more', async () => {
    const listener = await started();
    const answers = Array.from({ length: 8 }, () => Promise.withResolvers<IncomingMessage>());
    // As much as a socket of this machine takes is sent, and the rest waits.
    for (const { resolve, reject } of answers) {
      const { host, port } = listener.address;
      request({ host, port, path: '/long' }, resolve).on('error', reject).end();
    }
    const statuses = await Promise.all(answers.map(async ({ promise }) => (await promise).statusCode));
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    expect(statuses.filter((status) => status === 503)).toHaveLength(4);
    expect((await send(listener, { path: '/long' })).body).toContain('not read: read them, and try again');
    expect((await send(listener, {})).status).toBe(200);
    for (const { promise } of answers) (await promise).destroy();
    while ((await send(listener, { path: '/long' })).status !== 200);
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

describe('the requests of a listener', () => {
  it('counts requests by status, and logs once when they are many', async () => {
    const log = createRecordedLog();
    const statuses: string[] = [];
    const answered = (status: string): void => void statuses.push(status);
    const clock = createManualClock();
    const listener = await serveRoutes({ host: '127.0.0.1', port: 0 }, routes, { ...parts, clock, log, answered });
    listeners.push(listener);
    for (let requests = 0; requests < 190; requests += 1) await send(listener, {});
    expect(log.lines).toEqual([]);
    for (let requests = 0; requests < 20; requests += 1) await send(listener, { path: '/nothing' });
    expect((await send(listener, { host: 'rebound.example' })).status).toBe(403);
    expect(log.lines).toMatchObject([
      { level: 'warn', message: expect.stringContaining('many requests'), fields: { address: '127.0.0.1' } },
    ]);
    await expect.poll(() => statuses.length).toBe(211);
    expect(
      Object.entries(Object.groupBy(statuses, (status) => status)).map(([key, all]) => [key, all?.length]),
    ).toEqual([
      ['200', 190],
      ['403', 1],
      ['404', 20],
    ]);
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

describe('a guarded listener', () => {
  it('ends a response that is still being sent when its right is taken back', async () => {
    const clock = createManualClock();
    let allowed = true;
    const guard: RequestGuard = async () => (allowed ? undefined : { status: 403, message: 'not any more' });
    const opened = new Map<string, Route>([
      ['/events', { stream: (_, response) => void response.writeHead(200).write('first\n') }],
    ]);
    const listener = await serveRoutes({ host: '0.0.0.0', port: 0 }, opened, { ...parts, clock, guard });
    listeners.push(listener);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ port: listener.address.port, path: '/events' }, resolve).on('error', reject).end();
    });
    const closed = text(response).catch((error: NodeJS.ErrnoException) => error.code);
    clock.advance(30_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(response.destroyed).toBe(false);
    allowed = false;
    clock.advance(30_000);
    expect(await closed).toBe('ECONNRESET');
  });

  it('shows the guard both of two authorization headers', async () => {
    const seen: (readonly string[])[] = [];
    const guard: RequestGuard = async ({ authorization }) => {
      seen.push(authorization);
      return authorization.length === 1 ? undefined : { status: 401, message: 'show one' };
    };
    const listener = await serveRoutes({ host: '0.0.0.0', port: 0 }, routes, { ...parts, guard });
    listeners.push(listener);
    const ask = (headers: readonly string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ port: listener.address.port, path: '/', headers: ['host', 'x', ...headers] }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await ask(['authorization', 'Bearer a'])).toBe(200);
    expect(await ask(['authorization', 'Bearer a', 'authorization', 'Bearer b'])).toBe(401);
    expect(seen).toEqual([['Bearer a'], ['Bearer a', 'Bearer b']]);
  });
});

describe('a guarded listener whose guard does not decide at once', () => {
  it('goes on with a response that is still being sent while nobody can be asked, and refuses new ones', async () => {
    const clock = createManualClock();
    let reachable = true;
    const guard: RequestGuard = async () => (reachable ? undefined : { status: 503, message: 'nobody can be asked' });
    let send: (line: string) => void = () => {};
    const opened = new Map<string, Route>([
      [
        '/events',
        {
          stream: (_, response) => {
            send = (line) => void response.write(line);
            response.writeHead(200);
            send('first\n');
          },
        },
      ],
    ]);
    const listener = await serveRoutes({ host: '0.0.0.0', port: 0 }, opened, { ...parts, clock, guard });
    listeners.push(listener);
    const ask = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        request({ port: listener.address.port, path: '/events', agent: false }, resolve).on('error', reject).end();
      });
    const response = await ask();
    await once(response, 'data');
    reachable = false;
    clock.advance(30_000);
    await new Promise((resolve) => setImmediate(resolve));
    const refused = await ask();
    refused.resume();
    expect(refused.statusCode).toBe(503);
    send('second\n');
    expect(String(await once(response, 'data'))).toBe('second\n');
  });

  it('asks no more about a client that was gone before it was let pass', async () => {
    const clock = createManualClock();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<undefined>();
    const guard: RequestGuard = () => {
      asked.resolve();
      return answer.promise;
    };
    const listener = await serveRoutes({ host: '0.0.0.0', port: 0 }, routes, { ...parts, clock, guard });
    listeners.push(listener);
    const client = request({ port: listener.address.port, path: '/', agent: false }).on('error', () => {});
    client.end();
    await asked.promise;
    const timers = clock.waiting().length;
    client.destroy();
    while (clock.waiting().length === timers) await new Promise((resolve) => setImmediate(resolve));
    answer.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.waiting()).toEqual([]);
  });
});
