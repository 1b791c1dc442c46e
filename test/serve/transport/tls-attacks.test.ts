import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { firstWords } from '../../support/nodes/raw-socket-node.ts';
import { clientHello, connectRawTls, type RawTls } from '../../support/nodes/raw-tls.ts';
import { type AuthWorld, fateOf, startAuthWorld } from '../../support/worlds/auth-world.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node } from '../../support/worlds/served-world.ts';
import { startTlsWorld, type TlsWorld } from '../../support/worlds/tls-world.ts';

const words = firstWords({ node, typeUrl: targetType });

const ofHandshakes = ({ world }: Pick<TlsWorld, 'world'>, outcome: string): number =>
  world.counters.total('gatehouse_xds_handshakes_total', { outcome });

const warnings = ({ world }: Pick<TlsWorld, 'world'>): readonly string[] =>
  world.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function open(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Sends records and advances past looks; settles when the server has no connection of a node any more. */
async function flood({ world }: TlsWorld, { socket }: RawTls, records: readonly Buffer[]): Promise<void> {
  socket.write(Buffer.concat(records));
  while (world.counters.level('gatehouse_xds_nodes') > 0) {
    world.clock.advance(500);
    await turn();
  }
}

/** A frame of a type that HTTP/2 does not know, in pieces of a byte: it means nothing (RFC 9113, section 4.1). */
const ping = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
const unknownFrame = [0, 0, 8, 0xbb, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

async function startFlood(): Promise<{ readonly served: TlsWorld; readonly raw: RawTls }> {
  const served = await startTlsWorld();
  const raw = await connectRawTls(served.port, served.authority.cert, words);
  onTestFinished(() => void raw.socket.destroy());
  while (served.world.counters.level('gatehouse_xds_nodes') < 1) await turn();
  return { served, raw };
}

describe('a flood of TLS records that carry next to nothing', () => {
  it.each([
    ['KeyUpdate', (raw: RawTls) => Array.from({ length: 3_000 }, () => raw.keyUpdate())],
    [
      'records of one byte',
      (raw: RawTls) =>
        Array.from({ length: 5_100 }, (_, at) => raw.data(Uint8Array.of(unknownFrame[at % unknownFrame.length] ?? 0))),
    ],
    [
      'records of padding',
      (raw: RawTls) => Array.from({ length: 40 }, (_, at) => (at % 10 === 0 ? raw.data(ping) : raw.padding(16_000))),
    ],
  ])('resets the connection, counted and with one line: %s', async (_, recordsOf) => {
    const { served, raw } = await startFlood();
    await flood(served, raw, recordsOf(raw));
    expect(served.world.counters.total('gatehouse_xds_connections_closed_total')).toBe(1);
    expect(warnings(served)).toEqual([expect.stringContaining('TLS records that carry next to nothing')]);
    await served.world.following({}, served.channel);
  });

  it('of KeyUpdates on many connections at once is read one connection in an iteration of the event loop', async () => {
    const served = await startTlsWorld();
    const { world, port, authority } = served;
    const raws: RawTls[] = [];
    for (let count = 0; count < 12; count += 1) raws.push(await connectRawTls(port, authority.cert, words));
    onTestFinished(() => raws.forEach(({ socket }) => void socket.destroy()));
    const neighbour = await world.following({}, served.channel);
    const floods = raws.map((raw) => Buffer.concat(Array.from({ length: 500 }, () => raw.keyUpdate())));
    for (const [index, { socket }] of raws.entries()) socket.write(floods[index] ?? '');
    const closed = (): number => world.counters.total('gatehouse_xds_connections_closed_total');
    let most = 0;
    for (let before = 0; before < raws.length; before = closed()) {
      await turn();
      most = Math.max(most, closed() - before);
    }
    expect(most).toBe(1);
    expect(warnings(served)).toEqual([expect.stringContaining('TLS records that carry next to nothing')]);
    world.change('a/x', 1);
    await neighbour.accept();
  });

  it('of empty records ends the connection by itself, and no other', async () => {
    const { served, raw } = await startFlood();
    await flood(
      served,
      raw,
      Array.from({ length: 64 }, () => raw.padding(0)),
    );
    await served.world.following({}, served.channel);
  });

  it('is not what a node sends that follows many changes, or cuts its requests into small records', async () => {
    const served = await startTlsWorld();
    const { world } = served;
    const stream = await world.following({}, served.channel);
    for (let change = 1; change <= 300; change += 1) {
      world.change('a/x', change);
      await stream.accept();
    }
    const raw = await connectRawTls(served.port, served.authority.cert, words.subarray(0, 30));
    onTestFinished(() => void raw.socket.destroy());
    for (let at = 30; at < words.length; at += 8) raw.socket.write(raw.data(words.subarray(at, at + 8)));
    while (world.counters.level('gatehouse_xds_nodes') < 2) await turn();
    world.clock.advance(500);
    expect(world.counters.total('gatehouse_xds_connections_closed_total')).toBe(0);
    await stream.silence();
  });
});

describe('a client that sends a byte a second', () => {
  const drip = async (
    served: TlsWorld,
    socket: Socket,
    write: (byte: number) => void,
    bytes: Buffer,
  ): Promise<number> => {
    let closed = false;
    void closeOf(socket).then(() => {
      closed = true;
    });
    let seconds = 0;
    for (; !closed && seconds < 60; seconds += 1) {
      write(bytes[seconds] ?? 0);
      for (let left = 50; left > 0; left -= 1) await turn();
      served.world.clock.advance(1_000);
      for (let left = 50; left > 0; left -= 1) await turn();
    }
    return seconds;
  };

  it('is reset after ten seconds in its ClientHello', async () => {
    const served = await startTlsWorld();
    const socket = open(served.port);
    await once(socket, 'connect');
    const write = (byte: number): void => void socket.write(Uint8Array.of(byte));
    expect(await drip(served, socket, write, await clientHello())).toBeLessThanOrEqual(12);
    expect(warnings(served)).toHaveLength(1);
    expect(served.world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
  });

  it('is reset after ten seconds in the first bytes of HTTP/2, after a handshake', async () => {
    const served = await startTlsWorld();
    const socket = secure(served.port, served.authority.cert);
    await once(socket, 'secureConnect');
    expect(await drip(served, socket, (byte) => void socket.write(Uint8Array.of(byte)), words)).toBeLessThanOrEqual(12);
    expect(ofHandshakes(served, 'completed')).toBe(1);
    expect(served.world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
  });
});

function secure(port: number, ca: string, client: { readonly cert?: string; readonly key?: string } = {}): TLSSocket {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'], ...client });
  onTestFinished(() => void socket.destroy());
  return socket.on('error', () => {});
}

describe('a thousand handshakes that stop in the middle', () => {
  it('keep nobody out, and are reset after ten seconds', async () => {
    const served = await startTlsWorld();
    const { world, port } = served;
    const hello = await clientHello();
    const sockets = Array.from({ length: 1_000 }, () => open(port));
    const closed = sockets.map(closeOf);
    for (const socket of sockets) socket.write(hello);
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    const stream = await world.following({}, served.channel);
    world.clock.advance(10_000);
    await Promise.all(closed);
    await stream.silence();
    expect(ofHandshakes(served, 'timeout')).toBe(1_000);
    expect(warnings(served)).toHaveLength(1);
  });
});

describe('a client certificate', () => {
  const uris = ['spiffe://cluster.local/ns/red/sa/gw'];
  const start = (): Promise<AuthWorld> => startAuthWorld({ ways: ['mtls'], accounts: { 'red/gw': ['gw'] } });

  it('with thousands of names proves nothing, and is refused in a few words', async () => {
    const served = await start();
    const names = Array.from({ length: 3_000 }, (_, at) => `gw-${at}.red`);
    const client = served.world.client(served.channel(served.clients.issue({ names, usage: 'clientAuth' })));
    expect(await fateOf(client, { node: { role: 'red~gw' } })).toEqual({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/^the client certificate names no ServiceAccount: it has two DNS names.{0,80}$/),
    });
  });

  it('is refused in the handshake when 500 others come with it', async () => {
    const served = await start();
    const own = served.clients.issue({ names: [], uris, usage: 'clientAuth' });
    const stranger = createAuthority('stranger').cert;
    const port = Number(served.world.address.split(':')[1]);
    const client = { key: own.key, cert: own.cert + stranger.repeat(500) };
    await closeOf(secure(port, served.serverCa, client));
    expect(ofHandshakes(served, 'failed')).toBe(1);
    expect(warnings(served)).toHaveLength(1);
  });

  it('is believed beside others that have nothing to do with it', async () => {
    const served = await start();
    const own = served.clients.issue({ names: [], uris, usage: 'clientAuth' });
    const cert = own.cert + createAuthority('stranger').cert.repeat(50);
    const client = served.world.client(served.channel({ key: own.key, cert }));
    expect(await fateOf(client, { node: { role: 'red~gw' } })).toEqual({ served: ['default.red-gw'] });
  });
});
