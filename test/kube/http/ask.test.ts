import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { responseError } from '../../../src/kube/api-error.ts';
import { maxErrorBytes, maxObjectBytes } from '../../../src/kube/object-limits.ts';
import { connectTo, failureOf, protocols, serve } from '../kube-rig.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/leader';

describe.each(protocols)('a question over %s', (protocol) => {
  it('has the credentials of the user, and the whole response', async () => {
    const server = await serve(
      async (request) => {
        const body = await request.text;
        request.head(200, { 'content-type': 'application/json' });
        request.write('{"asked":');
        request.end(`"${body}"}`);
      },
      { protocol },
    );
    const { connection, counters } = await connectTo(server);
    expect(await connection.ask({ method: 'GET', path })).toMatchObject({ status: 200, body: '{"asked":""}' });
    const patch = { 'content-type': 'application/merge-patch+json' };
    expect(await connection.ask({ method: 'PATCH', path, headers: patch, body: 'é' })).toMatchObject({
      status: 200,
      body: '{"asked":"é"}',
    });
    for (const { headers } of server.seen) {
      expect(headers).toMatchObject({ authorization: 'Bearer secret-token', 'user-agent': 'gatehouse/1.2.3' });
    }
    expect(server.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual([`GET ${path}`, `PATCH ${path}`]);
    expect(server.seen.map(({ headers }) => headers['content-type'])).toEqual([undefined, patch['content-type']]);
    expect(server.opened()).toBeLessThanOrEqual(2);
    expect(counters.total('gatehouse_kube_requests_total', { status: '200' })).toBe(2);
  });

  it('that is refused has status, headers and body', async () => {
    const server = await serve(
      (request) => {
        request.head(409, { 'content-type': 'application/json', 'retry-after': '3' });
        request.end('{"kind":"Status","reason":"Conflict"}');
      },
      { protocol },
    );
    const answer = await (await connectTo(server)).connection.ask({ method: 'GET', path });
    expect(answer).toMatchObject({ status: 409, body: '{"kind":"Status","reason":"Conflict"}' });
    expect(answer.header('retry-after')).toBe('3');
  });
});

describe.each(protocols)('the response to a question over %s', (protocol) => {
  it('is read as far as the message of an error needs, and no further', async () => {
    const server = await serve(
      (request) => {
        request.head(500, { 'content-type': 'application/json' });
        request.end(`{"kind":"Status","message":"on purpose","details":[${'{},'.repeat(1_000_000)}0]}`);
      },
      { protocol },
    );
    const { connection } = await connectTo(server);
    const answer = await connection.ask({ method: 'GET', path });
    expect(answer.body).toHaveLength(maxErrorBytes);
    expect(responseError(answer, 0)).toMatchObject({ status: 500, message: 'on purpose' });
  });

  it('is an error when it is larger than any object', async () => {
    const server = await serve(
      (request) => {
        request.head(200, { 'content-type': 'application/json' });
        request.end(`{"spec":"${'x'.repeat(maxObjectBytes)}"}`);
      },
      { protocol },
    );
    const { connection } = await connectTo(server);
    expect(await failureOf(connection.ask({ method: 'GET', path }))).toBe(
      `${server.url} answered with more than 8388608 bytes`,
    );
  });
});

describe.each(protocols)('a connection over %s', (protocol) => {
  it('tells of each success', async () => {
    let status = 503;
    const server = await serve(
      (request) => {
        request.head(status);
        request.end('{}');
      },
      { protocol },
    );
    const { connection } = await connectTo(server);
    let successes = 0;
    const stop = connection.onSuccess(() => {
      successes += 1;
    });
    await connection.ask({ method: 'GET', path });
    expect(successes).toBe(0);
    status = 201;
    await connection.ask({ method: 'POST', path, body: '{}' });
    await connection.ask({ method: 'GET', path });
    expect(successes).toBe(2);
    stop();
    await connection.ask({ method: 'GET', path });
    expect(successes).toBe(2);
  });

  it('is waited for 30 seconds as a whole', async () => {
    const server = await serve(
      (request) => {
        request.head(200, { 'content-type': 'application/json' });
        request.write('{');
      },
      { protocol },
    );
    const { connection, clock, counters } = await connectTo(server);
    const failed = failureOf(connection.ask({ method: 'GET', path }));
    await server.arrived(1);
    // Counted once the head was received: then the body is awaited.
    while (counters.total('gatehouse_kube_requests_total', { status: '200' }) === 0) await setImmediate();
    clock.advance(30_000);
    expect(await failed).toBe(`${connection.server} did not answer within 30 seconds`);
    expect(await server.seen[0]?.over).toBe('left');
  });
});

describe('a request with a body', () => {
  it('can be aborted in the turn in which it was sent, because it is sent by HTTP/1.1', async () => {
    const server = await serve((request) => {
      request.head(200);
      request.end('{}');
    });
    const { connection } = await connectTo(server);
    await connection.ask({ method: 'GET', path });
    await connection.ask({ method: 'PUT', path, body: '{}' });
    expect(server.seen.map(({ method, version }) => `${method} ${version}`)).toEqual(['GET 2.0', 'PUT 1.1']);
    // Over HTTP/2 this process would hang in the next turn.
    const leaving = new AbortController();
    const left = failureOf(connection.ask({ method: 'PUT', path, body: '{}', signal: leaving.signal }));
    queueMicrotask(() => leaving.abort(new Error('the leader is another one')));
    expect(await left).toBe('the leader is another one');
    expect((await connection.ask({ method: 'PUT', path, body: '{}' })).status).toBe(200);
    expect((await connection.ask({ method: 'GET', path })).status).toBe(200);
  });
});

describe('the path of a server', () => {
  it('is put before the path of every request', async () => {
    const server = await serve((request) => {
      request.head(200, { 'content-type': 'application/json' });
      request.end('{}');
    });
    const { connection } = await connectTo(server, { cluster: { server: `${server.url}/clusters/one/` } });
    await connection.send({ method: 'GET', path: '/version' });
    await connection.ask({ method: 'GET', path });
    expect(server.seen.map((seen) => seen.path)).toEqual(['/clusters/one/version', `/clusters/one${path}`]);
  });
});
