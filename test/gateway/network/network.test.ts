import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { TargetFetch, TargetRequest, TargetResponse } from '../../../src/gateway/model.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { parseResolutions } from '../../../src/gateway/network/resolve.ts';
import { createTargetSettings } from '../../../src/gateway/network/target-settings.ts';
import { fetchWithinOrigin } from '../../../src/gateway/upstream/transport/http-exchange.ts';
import { reasonOf } from '../../../src/net/errors.ts';
import { listen } from '../../../src/net/listener/http-listener.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(
  handle: RequestListener,
): Promise<{ readonly port: number; readonly seen: IncomingMessage[]; readonly server: Server }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming);
    handle(incoming, response);
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 }, 'a test');
  stops.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { port, seen, server };
}

function fetchFor(
  target: { readonly host: string; readonly port: number; readonly path?: string },
  ...resolve: readonly string[]
): (url: string, request?: Partial<TargetRequest>) => Promise<TargetResponse> {
  const settings = createTargetSettings(systemClock, createRecordedLog());
  const network = createNetwork({
    resolutions: parseResolutions(resolve),
    settings,
    clock: systemClock,
    failed: () => {},
  });
  stops.push(network.stop);
  const send = network.targetFetch({ name: 'default/tool', path: '/sse', ...target });
  return (url, request) => send(new URL(url), { ...plainRequest(), ...request });
}

const plainRequest = (): TargetRequest => ({
  method: 'GET',
  headers: {},
  body: null,
  signal: new AbortController().signal,
});

const failure = async (answer: Promise<TargetResponse>): Promise<string> =>
  answer.then((it) => `answered ${it.status}`, reasonOf);

async function textOf({ body }: TargetResponse): Promise<string> {
  let text = '';
  for await (const chunk of body ?? []) text += Buffer.from(chunk).toString();
  return text;
}

describe('a target on a loopback address', () => {
  it.each([
    ...['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]', '0.0.0.0'],
    ...['localhost', 'LocalHost.', 'ip6-localhost', 'ip6-loopback', 'localhost.localdomain'],
  ])('is refused as %s, and the message names --resolve', async (host) => {
    const { port, seen } = await serve((_, response) => response.end('reached'));
    const said = await failure(fetchFor({ host, port })(`http://${host}:${port}/sse`));
    expect(said).toContain('refused for a target');
    expect(said).toContain('--resolve');
    expect(seen).toEqual([]);
  });

  it('is allowed when --resolve names its host and port', async () => {
    const { port, seen } = await serve((_, response) => response.end('reached'));
    const target = { host: 'tool.default.svc.cluster.local', port: 8080 };
    const get = fetchFor(target, `${target.host}:8080=127.0.0.1:${port}`);
    expect(await textOf(await get('http://tool.default.svc.cluster.local:8080/sse'))).toBe('reached');
    expect(seen).toHaveLength(1);
  });

  it('gets its address as Host, since servers on loopback refuse other names, and may redirect to it', async () => {
    const { port, seen } = await serve(({ headers }, response) => {
      response.writeHead(307, { location: `http://${headers.host}/sse/?a=b` }).end();
    });
    const target = { host: 'tool.default.svc.cluster.local', port: 8080 };
    const get = fetchFor(target, `${target.host}:8080=127.0.0.1:${port}`);
    const url = 'http://tool.default.svc.cluster.local:8080/sse';
    const { status, headers } = await get(url);
    expect(status).toBe(307);
    expect(headers.get('location')).toBe(`${url}/?a=b`);
    expect(seen.map((request) => request.headers.host)).toEqual([`127.0.0.1:${port}`]);
  });

  it('is allowed at an address that --resolve maps to itself, and not on another port', async () => {
    const { port } = await serve((_, response) => response.end('reached'));
    const get = fetchFor({ host: '127.0.0.1', port }, `127.0.0.1:${port}=127.0.0.1:${port}`);
    expect((await get(`http://127.0.0.1:${port}/sse`)).status).toBe(200);
    const other = fetchFor({ host: '127.0.0.1', port: 8181 }, `127.0.0.1:${port}=127.0.0.1:${port}`);
    expect(await failure(other('http://127.0.0.1:8181/sse'))).toContain('refused');
  });
});

const resolved = (port: number): string => `tool:80=127.0.0.1:${port}`;

describe('the origin of a target', () => {
  it('is the only origin of its requests', async () => {
    const { port, seen } = await serve((_, response) => response.end());
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port), `other:80=127.0.0.1:${port}`);
    expect(await failure(get('http://other/sse'))).toContain('a request to http://other is refused');
    expect(await failure(get('http://tool:81/sse'))).toContain('is refused');
    expect(seen).toEqual([]);
  });

  it('is not left by a redirect, also not when --resolve names the other host', async () => {
    const { port, seen } = await serve((_, response) =>
      response.writeHead(307, { location: 'http://other/sse' }).end(),
    );
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port), `other:80=127.0.0.1:${port}`);
    const post = { ...plainRequest(), method: 'POST', body: 'x' } as const;
    const target: TargetFetch = (url, request) => get(url.href, request);
    expect((await fetchWithinOrigin(target, new URL('http://tool/sse'), post)).status).toBe(307);
    expect(await failure(get('http://other/sse'))).toContain('a request to http://other is refused');
    expect(seen).toHaveLength(1);
  });

  it('may be redirected within', async () => {
    const { port } = await serve((incoming, response) => {
      if (incoming.url === '/sse/') response.end('here');
      else response.writeHead(307, { location: '/sse/' }).end();
    });
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port));
    const target: TargetFetch = (url, request) => get(url.href, request);
    expect(await textOf(await fetchWithinOrigin(target, new URL('http://tool/sse'), plainRequest()))).toBe('here');
  });
});

describe('a response that is not needed', () => {
  it('leaves its connection to the next request when it has arrived, and ends it when it goes on', async () => {
    const { port, seen } = await serve(({ url }, response) => {
      if (url === '/endless') response.writeHead(202).write('more to come');
      else response.writeHead(202).end('Accepted');
    });
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port));
    await (await get('http://tool/sse')).body?.cancel();
    await (await get('http://tool/endless')).body?.cancel();
    const [first, second] = seen.map(({ socket }) => socket);
    expect(second).toBe(first);
    if (second?.destroyed === false) await once(second, 'close');
    await (await get('http://tool/sse')).body?.cancel();
    expect(seen).toHaveLength(3);
  });
});

it('the credentials of a client are not sent to a target', async () => {
  const { port, seen } = await serve((_, response) => response.end());
  const get = fetchFor({ host: 'tool', port: 80 }, `tool:80=127.0.0.1:${port}`);
  await get('http://tool/sse', {
    headers: { Authorization: 'Bearer x', Cookie: 'a=b', 'proxy-authorization': 'x', accept: 'text/plain' },
  });
  expect(seen[0]?.headers).toMatchObject({ accept: 'text/plain' });
  expect(Object.keys(seen[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
  expect(seen[0]?.headers).not.toHaveProperty('cookie');
  expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
});

it('no client for the servers of an authority is made once the network has stopped', async () => {
  const ca = join(temporaryFolder(), 'ca.pem');
  writeFileSync(ca, createAuthority('one').cert);
  const settings = createTargetSettings(systemClock, createRecordedLog());
  const network = createNetwork({
    resolutions: parseResolutions([]),
    settings: settings,
    clock: systemClock,
    failed: () => {},
  });
  await network.fetchTrusting(ca);
  writeFileSync(ca, createAuthority('another').cert);
  const late = network.fetchTrusting(ca);
  await Promise.all([network.stop(), expect(late).rejects.toThrow('the gateway stops')]);
});

describe('a response of a target with a content coding', () => {
  it('is not asked for, and refused, since each open stream would keep a window of the size that the target chooses', async () => {
    const { port, seen } = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'br' }).write('x'),
    );
    const get = fetchFor({ host: 'tool', port: 80 }, `tool:80=127.0.0.1:${port}`);
    expect(await failure(get('http://tool/sse'))).toBe(
      'answered with the content coding "br"; no coding was asked for',
    );
    expect(seen[0]?.headers['accept-encoding']).toBe('identity');
    if (seen[0]?.socket.destroyed === false) await once(seen[0].socket, 'close');
  });
});

describe('a target whose name does not resolve', () => {
  it('is an error that says what to do, with --resolve', async () => {
    const said = await failure(fetchFor({ host: 'tool.invalid', port: 8080 })('http://tool.invalid:8080/sse'));
    expect(said).toMatch(
      /the name of tool\.invalid:8080 does not resolve here \(E\w+\); correct it, or start with --resolve tool\.invalid:8080=<address>:<port>/,
    );
  });
});

describe('a target that makes much of a few bytes', () => {
  /** Serves this text without an end, after a head, and tells of the end of its connection. */
  async function flooding(endless: string, head = '') {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { port } = await serve((_, { socket }) => {
      socket?.on('error', () => {}).once('close', () => resolve());
      const chunk = endless.repeat(5_000);
      const write = (): void => {
        while (socket?.destroyed === false && socket.write(chunk));
      };
      socket?.on('drain', write);
      socket?.write(head);
      write();
    });
    return { closed, send: () => fetchFor({ host: 'tool', port: 80 }, resolved(port))('http://tool/sse') };
  }

  it.each(['102 Processing', '103 Early Hints'])(
    'by announcing its answer without an end (%s) is left',
    async (status) => {
      const { closed, send } = await flooding(`HTTP/1.1 ${status}\r\n\r\n`);
      await expect(send()).rejects.toThrow('it announces its answer more than 16 times (status 1xx)');
      await closed;
    },
  );

  it.each([
    ['header fields', 'HTTP/1.1 200 OK\r\n', 'a:\r\n'],
    ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n', 'a:\r\n'],
    ['a chunk extension', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n1;', 'x=y;'],
  ])('by %s without an end is left', async (_, head, unit) => {
    const { closed, send } = await flooding(unit, head);
    await expect(send().then(textOf)).rejects.toThrow('has more than 20 KiB');
    await closed;
  });

  it('is not one that sends a large body, whose chunks have headers of their own', async () => {
    const { port } = await serve((_, response) => {
      for (let index = 0; index < 20_000; index += 1) response.write('some text');
      response.end();
    });
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port));
    expect(await textOf(await get('http://tool/sse'))).toHaveLength(180_000);
  });
});

describe('the signal of a request', () => {
  it('ends a request before it is sent, one that waits for its answer, and an answer that goes on', async () => {
    const { port, server } = await serve((_, response) => {
      if (response.req.url === '/goes-on') response.write('text');
    });
    const get = fetchFor({ host: 'tool', port: 80 }, resolved(port));
    expect(await failure(get('http://tool/', { signal: AbortSignal.abort(new Error('at once')) }))).toBe('at once');

    const waits = new AbortController();
    const waiting = failure(get('http://tool/', { signal: waits.signal }));
    await once(server, 'request');
    waits.abort(new Error('no longer'));
    expect(await waiting).toBe('no longer');

    const reads = new AbortController();
    const { body } = await get('http://tool/goes-on', { signal: reads.signal });
    const read = body?.[Symbol.asyncIterator]();
    await read?.next();
    const next = read?.next();
    reads.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });

  it('rejects a request whose connection is not there yet', async () => {
    const waits = new AbortController();
    const { signal } = waits;
    // An address without a route or an answer (RFC 5737).
    const waiting = failure(fetchFor({ host: 'tool', port: 80 }, 'tool:80=192.0.2.1:80')('http://tool/', { signal }));
    waits.abort(new Error('no longer'));
    expect(await waiting).toBe('no longer');
  });
});
