import { CoordinationV1Api, V1MicroTime } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { connectTo, failureOf, protocols, serve } from './kube-rig.ts';

describe.each(protocols)('a typed client over %s', (protocol) => {
  it('asks over the connection, as the same identity', async () => {
    const server = await serve(
      async (request) => {
        const body = await request.text;
        request.head(200, { 'content-type': 'application/json' });
        request.end(body === '' ? JSON.stringify({ metadata: { name: 'leader', resourceVersion: '7' } }) : body);
      },
      { protocol },
    );
    const { connection, counters } = await connectTo(server);
    const leases = new CoordinationV1Api(connection.configuration);
    const lease = await leases.readNamespacedLease({ namespace: 'default', name: 'leader' });
    expect(lease.metadata?.resourceVersion).toBe('7');

    const renewTime = new V1MicroTime('2026-01-01T00:00:00.000Z');
    const spec = { holderIdentity: 'me', renewTime };
    const written = await leases.replaceNamespacedLease({ namespace: 'default', name: 'leader', body: { spec } });
    expect(written.spec?.holderIdentity).toBe('me');
    expect(await server.seen[1]?.text).toContain('2026-01-01T00:00:00.000000Z');
    for (const { headers } of server.seen) {
      expect(headers).toMatchObject({ authorization: 'Bearer secret-token', 'user-agent': 'gatehouse/1.2.3' });
    }
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /apis/coordination.k8s.io/v1/namespaces/default/leases/leader',
      'PUT /apis/coordination.k8s.io/v1/namespaces/default/leases/leader',
    ]);
    expect(server.opened()).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 2);
    expect(counters.total('gatehouse_kube_requests_total', { status: '200' })).toBe(2);
  });

  it('gets refusals as client-node has them', async () => {
    const server = await serve(
      (request) => {
        request.head(409, { 'content-type': 'application/json' });
        request.end('{"kind":"Status","reason":"Conflict"}');
      },
      { protocol },
    );
    const leases = new CoordinationV1Api((await connectTo(server)).connection.configuration);
    const reading = leases.readNamespacedLease({ namespace: 'default', name: 'leader' });
    await expect(reading).rejects.toMatchObject({ code: 409, body: expect.stringContaining('Conflict') });
  });

  it('waits 30 seconds for the whole answer', async () => {
    const server = await serve(
      (request) => {
        request.head(200, { 'content-type': 'application/json' });
        request.write('{');
      },
      { protocol },
    );
    const { connection, clock } = await connectTo(server);
    const leases = new CoordinationV1Api(connection.configuration);
    const failed = failureOf(leases.readNamespacedLease({ namespace: 'default', name: 'leader' }));
    await server.arrived(1);
    clock.advance(30_000);
    expect(await failed).toBe(`${connection.server} did not answer within 30 seconds`);
    expect(await server.seen[0]?.over).toBe('left');
  });
});

describe('a server with a path', () => {
  it('has it before the path of every request', async () => {
    const server = await serve((request) => {
      request.head(200, { 'content-type': 'application/json' });
      request.end('{}');
    });
    const { connection } = await connectTo(server, { cluster: { server: `${server.url}/clusters/one/` } });
    await connection.send({ method: 'GET', path: '/version' });
    await new CoordinationV1Api(connection.configuration).readNamespacedLease({ namespace: 'a', name: 'b' });
    expect(server.seen.map(({ path }) => path)).toEqual([
      '/clusters/one/version',
      '/clusters/one/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
    ]);
  });
});
