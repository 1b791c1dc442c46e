import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type RequestListener, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { openLimitedListener } from '../../../src/net/listener/limited-listener.ts';
import { ServerCertificate } from '../../../src/net/tls/server-certificate.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

type Wire = 'plaintext' | 'TLS';

async function openCertificate(): Promise<ServerCertificate> {
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const { cert, key } = createAuthority('ca').issue();
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  const counters = { count: () => {}, gauge: () => {}, observe: () => {} };
  const edges = { clock: createManualClock(), log: createRecordedLog(), counters };
  const certificate = await ServerCertificate.open(files, { ...edges, minVersion: 'TLSv1.3' });
  onTestFinished(() => certificate.stop());
  return certificate;
}

/** Opens a listener that counts the pieces of all bodies that the parser hands over. */
async function open(handler: RequestListener, wire: Wire = 'plaintext') {
  const lost: string[] = [];
  const log = createRecordedLog();
  const parsed = { pieces: 0 };
  const counting: RequestListener = (incoming, response) => {
    const push = incoming.push.bind(incoming);
    incoming.push = (chunk: Buffer | null) => {
      if (chunk !== null) parsed.pieces += 1;
      return push(chunk);
    };
    handler(incoming, response);
  };
  const { address, close } = await openLimitedListener({ host: '127.0.0.1', port: 0 }, () => counting, {
    listener: 'test',
    certificate: wire === 'TLS' ? await openCertificate() : undefined,
    clock: createManualClock(),
    log,
    lost: (reason) => void lost.push(reason),
  });
  onTestFinished(close);
  return { port: address.port, lost, parsed, log };
}

function client(port: number, wire: Wire = 'plaintext'): Socket {
  const at = { port, host: '127.0.0.1' };
  const socket = wire === 'TLS' ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

const closed = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await once(socket, 'close');
};

const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
const oneByteEach = '1\r\nx\r\n'.repeat(10_000);
const leaveUnread: RequestListener = () => {};
const readAll: RequestListener = async (incoming, response) => {
  const body = await text(incoming).catch(() => '');
  response.end(String(body.length));
};
const refuse: RequestListener = (_, response) => void response.writeHead(401).end('no');
/** The 128 of any size, 2 for the bytes in them, and the one that is too many. */
const piecesUntilClosed = 131;

const floods = [
  ['nobody reads', leaveUnread],
  ['the handler reads', readAll],
  ['was answered early', refuse],
] as const;
const onWires = floods.flatMap((flood) => (['plaintext', 'TLS'] as const).map((wire) => [wire, ...flood] as const));

it.each(onWires)(
  'over %s, a connection whose body in chunks of one byte %s is closed, and no more of it parsed',
  async (wire, _, handler) => {
    const { port, lost, parsed, log } = await open(handler, wire);
    const flood = client(port, wire).resume();
    flood.write(head + oneByteEach);
    await closed(flood);
    expect([parsed.pieces, lost]).toEqual([piecesUntilClosed, ['chunks']]);
    const again = client(port, wire).resume();
    again.write(head + oneByteEach);
    await closed(again);
    expect([parsed.pieces, lost]).toEqual([2 * piecesUntilClosed, ['chunks', 'chunks']]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { listener: 'test', because: 'bodies in chunks of a few bytes', address: '127.0.0.1' } },
    ]);
  },
);

it.each(['plaintext', 'TLS'] as const)(
  'over %s, chunks of one byte that follow the answer close the connection, too',
  async (wire) => {
    const { port, lost, parsed } = await open(refuse, wire);
    const flood = client(port, wire);
    flood.write(head);
    await once(flood, 'data');
    flood.resume().write(oneByteEach);
    await closed(flood);
    expect([parsed.pieces, lost]).toEqual([piecesUntilClosed, ['chunks']]);
  },
);

it('a request whose answer came before its body leaves its connection to the next one', async () => {
  const { port, lost } = await open((incoming, response) => {
    if (incoming.method === 'POST') refuse(incoming, response);
    else response.writeHead(200, { connection: 'close' }).end('next');
  });
  const socket = client(port);
  socket.write(head);
  await once(socket, 'data');
  socket.write(`${'5\r\nhello\r\n'.repeat(100)}0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  expect(await text(socket)).toContain('next');
  expect(lost).toEqual([]);
});

it.each([
  [128, 1],
  [180, 20],
  [10_000, 77],
])('a client that writes a body in %d pieces of %d bytes is answered', async (pieces, bytes) => {
  const { port, lost } = await open(readAll);
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent: false });
  for (let written = 0; written < pieces; written += 1) outgoing.write('x'.repeat(bytes));
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  expect(await text(response)).toBe(String(pieces * bytes));
  expect(lost).toEqual([]);
});

it('a body with a length may come in packets of any size', async () => {
  const { port, lost } = await open(readAll);
  const socket = client(port).setNoDelay(true);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 700\r\n\r\n');
  for (let sent = 0; sent < 700; sent += 1) await new Promise((resolve) => socket.write('x', resolve));
  expect(await text(socket)).toMatch(/700$/);
  expect(lost).toEqual([]);
});
