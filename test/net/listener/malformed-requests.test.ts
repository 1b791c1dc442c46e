import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { openLimitedListener } from '../../../src/net/listener/limited-listener.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

const answerAtEnd: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('ok'));
};

async function open(handler: RequestListener = answerAtEnd) {
  const malformed: string[] = [];
  const log = createRecordedLog();
  const { address, close } = await openLimitedListener({ host: '127.0.0.1', port: 0 }, () => handler, {
    listener: 'test',
    certificate: undefined,
    clock: createManualClock(),
    log,
    malformed: (reason) => void malformed.push(reason),
  });
  onTestFinished(close);
  /** Sends a text on a connection of its own. Returns what comes back until it is closed. */
  const exchange = async (sent: string, leaves = false): Promise<string> => {
    const socket = connect(address.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(sent);
    if (leaves) socket.end();
    return text(socket);
  };
  return { port: address.port, malformed, log, exchange };
}

const post = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';

it.each([
  [
    'a head that is too large',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    'head-size',
    431,
  ],
  [
    'a head with more than 100 fields',
    `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: x\r\n'.repeat(100)}\r\n`,
    'head-size',
    431,
  ],
  ['a chunk without a size', `${post}zz\r\n`, 'chunk', 400],
  ['extensions of a chunk without an end', `${post}1;${'x'.repeat(20_000)}`, 'chunk', 413],
  ['a line that is no request', 'hello\r\n\r\n', 'syntax', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'syntax', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 'host', 400],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: localhost\r\nhost: example.com\r\n\r\n', 'host', 400],
  ['two Hosts of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHOST: a\r\n\r\n', 'host', 400],
  ['an expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close\r\n\r\n', 'unsupported', 417],
])('%s is refused, counted by its reason, and in the log once', async (_, sent, reason, status) => {
  const { malformed, log, exchange } = await open();
  expect(await exchange(sent)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\n(?:.*\r\n)*Connection: close`, 'i'));
  expect(malformed).toEqual([reason]);
  await exchange(sent);
  expect(malformed).toEqual([reason, reason]);
  const [line, ...others] = log.lines.filter(({ level }) => level === 'warn');
  expect(line).toMatchObject({ fields: { listener: 'test', because: reason, address: '127.0.0.1' } });
  expect(others).toEqual([]);
});

it('CONNECT is closed, and counted', async () => {
  const { malformed, exchange } = await open();
  expect(await exchange('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
  expect(malformed).toEqual(['unsupported']);
});

it('a request that is whole, and a client that leaves in the middle of one, are not counted', async () => {
  const { malformed, log, exchange } = await open();
  expect(await exchange('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/ok$/);
  expect(await exchange('GET / HTTP/1.0\r\n\r\n')).toMatch(/ok$/);
  expect(await exchange(`${post}3\r\nab`, true)).toMatch(/^HTTP\/1\.1 400/);
  expect(malformed).toEqual([]);
  expect(log.lines).toEqual([]);
});

it('a response that has begun is not followed by the answer to what is malformed', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const { malformed, exchange } = await open((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('first', () => resolve());
  });
  const answer = exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n');
  await begun;
  expect(await answer).not.toContain(' 400 ');
  expect(malformed).toEqual(['syntax']);
});

it.each([
  ['behind a response that nobody reads', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '!', 'syntax'],
  ['in the body of a request that was answered early', post, 'zz\r\n', 'chunk'],
])(
  '%s, what is malformed closes the connection, and all that follows is counted once',
  async (_, head, wrong, reason) => {
    const { promise: asked, resolve } = Promise.withResolvers<Socket>();
    const { port, malformed } = await open((request, response) => {
      response.end(Buffer.alloc(20_000_000));
      resolve(request.socket);
    });
    const client = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void client.destroy());
    client.write(head);
    const served = await asked;
    const listeners = served.listenerCount('finish');
    client.write(wrong);
    while (!served.closed && malformed.length < 2) {
      client.write('!');
      await new Promise(setImmediate);
    }
    expect([served.closed, malformed, served.listenerCount('finish') - listeners]).toEqual([true, [reason], 0]);
  },
);

it('an answer that cannot be sent is not waited for when more arrives', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<Socket>();
  const { port, malformed } = await open(({ socket }) => {
    // As a response before this one, of which the operating system has taken all that it does.
    socket.write(Buffer.alloc(20_000_000));
    resolve(socket);
  });
  const client = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void client.destroy());
  client.write(post);
  const served = await asked;
  while (!served.closed && malformed.length < 2) {
    client.write('zz\r\n');
    await new Promise(setImmediate);
  }
  expect([served.closed, malformed]).toEqual([true, ['chunk']]);
});

it('the answer to what is malformed is not taken for the one to the request before', async () => {
  const { malformed, exchange } = await open(() => {});
  expect(await exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n')).toBe('');
  expect(malformed).toEqual(['syntax']);
});

const noHost = 'GET / HTTP/1.1\r\n\r\n';
const expecting = (what: string): string => `GET / HTTP/1.1\r\nHost: a\r\nExpect: ${what}\r\n\r\n`;

it.each([
  ['with Host', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', undefined],
  ['without Host', noHost, 'host'],
  ['with an unknown expectation', expecting('wonders'), 'unsupported'],
])(
  'of thousands of requests %s in one packet, one is answered, and no more parsed than may wait',
  async (_, head, reason) => {
    const { port, malformed } = await open();
    let parsed = 0;
    const count = (): void => {
      parsed += 1;
    };
    subscribe('http.server.request.start', count);
    onTestFinished(() => void unsubscribe('http.server.request.start', count));
    const client = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void client.destroy());
    client.resume().write(head.repeat(3_000));
    while (!client.closed && malformed.length < 2) await new Promise(setImmediate);
    // One that is answered, eight that wait, and one that closes the connection.
    expect([malformed, parsed]).toEqual([reason === undefined ? [] : [reason], 10]);
  },
);

it.each([
  ['without Host', noHost, 400],
  ['with an unknown expectation', expecting('wonders'), 417],
])('a request %s is answered in its turn, and the connection closed then', async (_, head, status) => {
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  let handled = 0;
  const { malformed, exchange } = await open((__, response) => {
    handled += 1;
    resolve(response);
  });
  const valid = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const answers = exchange(valid + head + valid);
  const response = await asked;
  expect(malformed).toEqual([]);
  response.end('first');
  expect((await answers).match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`]);
  expect([handled, malformed.length]).toEqual([1, 1]);
});

it('Expect: 100-continue is answered at once, before the response', async () => {
  const { exchange } = await open();
  const answers = await exchange(expecting('100-continue').replace('Host', 'Connection: close\r\nHost'));
  expect(answers.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
});
