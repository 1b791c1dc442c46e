import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { firstWords } from '../../support/nodes/raw-socket-node.ts';
import { clientHello } from '../../support/nodes/raw-tls.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node } from '../../support/worlds/served-world.ts';
import { startTlsWorld, type TlsWorld } from '../../support/worlds/tls-world.ts';

/** What the server does with a connection. */
function fateOf(socket: Socket): Promise<'closed' | 'answered'> {
  return new Promise((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve('closed'));
    socket.once('data', () => resolve('answered'));
  });
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function plain({ port }: TlsWorld, words: Uint8Array): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).write(words);
  return socket;
}

function secure({ port, authority }: TlsWorld, options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({ port, host: 'localhost', ca: authority.cert, ALPNProtocols: ['h2'], ...options });
  onTestFinished(() => void socket.destroy());
  return socket.on('error', () => {});
}

const words = firstWords({ node, typeUrl: targetType });

const ofHandshakes = (served: TlsWorld, outcome: string): number =>
  served.world.counters.total('gatehouse_xds_handshakes_total', { outcome });

describe('a client that leaves in the middle of a handshake', () => {
  it('is counted, and is no reason for a line in the log', async () => {
    const served = await startTlsWorld();
    const socket = plain(served, await clientHello());
    await once(socket, 'data');
    socket.destroy();
    while (ofHandshakes(served, 'left') === 0) await turn();
    expect(served.world.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});

describe('a node over TLS', () => {
  it('is served as one over plaintext', async () => {
    const { world, channel } = await startTlsWorld();
    world.put('a/x');
    const stream = await world.following({}, channel);
    world.put('a/y');
    expect((await stream.accept()).names).toEqual(['a/y']);
    expect(world.server.nodes()).toMatchObject([
      { gateway: 'default/gw', peer: expect.stringMatching(/^127\.0\.0\.1:/) },
    ]);
  });

  it('is served beside nodes in plaintext while both are accepted', async () => {
    const { world, channel } = await startTlsWorld({ plaintext: true });
    const both = [await world.following({}, channel), await world.following()];
    world.put('a/x');
    for (const stream of both) expect((await stream.accept()).names).toEqual(['a/x']);
  });

  it('ends with its connection like one over plaintext', async () => {
    const served = await startTlsWorld();
    const socket = secure(served);
    socket.write(words);
    while (served.world.counters.level('gatehouse_xds_streams') < 1) await turn();
    socket.destroy();
    while (served.world.counters.level('gatehouse_xds_streams') > 0) await turn();
  });
});

describe('a connection that does not do as it should', () => {
  it('is reset when it is plaintext and TLS is demanded', async () => {
    const served = await startTlsWorld();
    expect(await fateOf(plain(served, words))).toBe('closed');
  });

  it('is reset when it speaks an older version than is accepted', async () => {
    expect(await fateOf(secure(await startTlsWorld(), { maxVersion: 'TLSv1.2' }))).toBe('closed');
    const old = secure(await startTlsWorld({ minVersion: 'TLSv1.2' }), { maxVersion: 'TLSv1.2' });
    old.write(words);
    expect(await fateOf(old)).toBe('answered');
  });

  it.each([[['http/1.1']], [undefined]])('is reset when it does not name HTTP/2: %j', async (ALPNProtocols) => {
    const socket = secure(await startTlsWorld(), { ALPNProtocols });
    socket.write(words);
    expect(await fateOf(socket)).toBe('closed');
  });

  it('is reset when its ClientHello does not come to an end in time', async () => {
    const served = await startTlsWorld();
    const hello = await clientHello();
    const fate = fateOf(plain(served, hello.subarray(0, 100)));
    await served.world.clock.armed(3);
    served.world.clock.advance(10_000);
    expect(await fate).toBe('closed');
    expect(served.world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
  });

  it('is reset when it stops in the middle of the handshake', async () => {
    const served = await startTlsWorld();
    const socket = plain(served, await clientHello());
    await once(socket, 'data');
    served.world.clock.advance(10_000);
    await closeOf(socket);
    expect(ofHandshakes(served, 'timeout')).toBe(1);
  });

  it('is reset when garbage follows its ClientHello', async () => {
    const served = await startTlsWorld();
    const socket = plain(served, await clientHello());
    await once(socket, 'data');
    socket.write(Buffer.alloc(1_000, 7));
    await closeOf(socket);
    expect(ofHandshakes(served, 'failed')).toBe(1);
    await served.world.following({}, served.channel);
  });
});

describe('a client that has completed a handshake', () => {
  it('is reset when it begins a second one', async () => {
    const served = await startTlsWorld({ minVersion: 'TLSv1.2' });
    const socket = secure(served, { maxVersion: 'TLSv1.2' });
    socket.write(words);
    await once(socket, 'data');
    const refused = new Promise((resolve) => {
      socket.renegotiate({}, resolve);
      socket.once('close', resolve);
    });
    await refused;
    await served.world.following({}, served.channel);
    expect(ofHandshakes(served, 'completed')).toBe(2);
  });

  it('is not trusted by what an earlier session has proven', async () => {
    const served = await startTlsWorld();
    const first = secure(served);
    first.write(words);
    const [session]: Buffer[] = await once(first, 'session');
    const second = secure(served, { session });
    await once(second, 'secureConnect');
    expect(second.isSessionReused()).toBe(false);
  });
});

describe('a flood of handshakes', () => {
  it('is begun a few at a time, and all of it is served', async () => {
    const served = await startTlsWorld();
    const sockets = Array.from({ length: 300 }, () => secure(served));
    for (const socket of sockets) socket.write(words);
    while (served.world.counters.level('gatehouse_xds_nodes') < 300) await turn();
    expect(ofHandshakes(served, 'completed')).toBe(300);
  });
});

describe('a mounted certificate that is swapped', () => {
  it('is shown to new connections, and open streams go on', async () => {
    const served = await startTlsWorld();
    const { world, authority, channel } = served;
    const stream = await world.following({}, channel);
    await served.rotate(authority.issue({ names: ['renewed', 'localhost', '127.0.0.1'] }));
    // Node forgets the certificate of a server after its first look, which is this one.
    const { promise: names, resolve } = Promise.withResolvers<string | undefined>();
    secure(served, { checkServerIdentity: (_, { subjectaltname }) => void resolve(subjectaltname) });
    expect(await names).toContain('renewed');
    world.put('a/x');
    expect((await stream.accept()).names).toEqual(['a/x']);
  });

  it('is refused in words when the key belongs to another one, and the old one stays', async () => {
    const served = await startTlsWorld();
    const { authority, secret, world } = served;
    await served.rotate({ cert: authority.issue().cert, key: authority.issue().key });
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'the new TLS certificate is refused, and the old one stays in use',
        fields: expect.objectContaining({
          because: expect.stringContaining(`${secret.path('tls.key')} is not the key of the first certificate`),
        }),
      }),
    );
    await world.following({}, served.channel);
  });

  it('is warned of in the week before its end', async () => {
    const served = await startTlsWorld();
    const { world, authority } = served;
    await served.rotate(authority.issue({ until: new Date(world.clock.now() + 86_400_000) }));
    expect(world.log.lines.map(({ message }) => message)).toContain(
      'the TLS certificate has to be replaced: clients refuse it after its end',
    );
    expect(world.counters.level('gatehouse_tls_certificate_expiry_seconds')).toBeLessThan(
      world.clock.now() / 1_000 + 86_401,
    );
  });

  it('of another authority is not believed by nodes of the old one', async () => {
    const served = await startTlsWorld();
    await served.rotate(createAuthority('another').issue());
    expect(await fateOf(secure(served))).toBe('closed');
  });
});
