import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  connectTransport as connect,
  initialized,
  request,
  response,
  streams,
} from '../../../support/gateway/transport-rig.ts';

describe('a request whose response cannot come any more', () => {
  it.each<[string, RequestListener, string]>([
    ['status 202', (_, answer) => answer.writeHead(202).end(), 'status 202'],
    ['status 204', (_, answer) => answer.writeHead(204).end(), 'status 204'],
    ['another type', (_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), 'text/html'],
    [
      'JSON with another id',
      (_, answer) => answer.writeHead(200, { 'content-type': 'application/json' }).end(response(8)),
      'names another request',
    ],
    ['no JSON', (_, answer) => answer.writeHead(200, { 'content-type': 'application/json' }).end('{'), 'cut off'],
    ['a stream with another id', streams(`data: ${response(8)}\n\n`), 'names another request'],
    [
      'a stream with the id as a text that stays open',
      (_, answer) => {
        answer.writeHead(200, { 'content-type': 'text/event-stream' });
        answer.write('data: {"jsonrpc":"2.0","id":"7","result":{}}\n\n');
      },
      'names another request',
    ],
    ['a stream without an event', streams(''), 'cut off'],
    ['a refusal', (_, answer) => answer.writeHead(503).end('x'.repeat(10_000)), `status 503: ${'x'.repeat(1_024)}`],
  ])('fails at once: %s', async (_, answer, reason) => {
    await using rig = await connect(answer);
    await expect(rig.transport.send(request)).rejects.toThrow(reason);
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('fails when its stream can be resumed, but the target refuses that', async () => {
    await using rig = await connect(({ method }, answer) => {
      if (method === 'GET') answer.writeHead(404).end();
      else answer.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\ndata:\n\n');
    });
    const sent = rig.transport.send(request);
    await rig.clock.armed();
    rig.clock.next();
    await expect(sent).rejects.toThrow('status 404');
  });
});

describe('a request', () => {
  it('is answered by JSON, and by an event stream whose end is not awaited for long', async () => {
    await using json = await connect((_, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(response(7));
    });
    await json.transport.send(request);
    expect(json.received).toEqual([JSON.parse(response(7))]);

    const closed = Promise.withResolvers<void>();
    await using open = await connect((_, answer) => {
      answer.once('close', closed.resolve);
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${response(7)}\n\n`);
    });
    const sent = open.transport.send(request);
    await open.clock.armed();
    expect(open.clock.next()).toBe(1_000);
    await Promise.all([sent, closed.promise]);
    expect(open.received).toEqual([JSON.parse(response(7))]);
  });

  it('whose stream ends early is resumed after the last event, as often as the target wants', async () => {
    const polls = Array.from({ length: 7 }, (_, poll) => `id: ${poll + 2}\nretry: 2000\ndata:\n\n`);
    await using rig = await connect(streams('id: 1\ndata:\n\n', ...polls, `data: ${response(7)}\n\n`));
    const sent = rig.transport.send(request);
    const delays: number[] = [];
    for (let poll = 0; poll < 8; poll += 1) {
      await rig.clock.armed();
      delays.push(rig.clock.next());
    }
    await sent;
    expect(delays).toEqual([1_000, ...Array.from({ length: 7 }, () => 2_000)]);
    expect(rig.requests).toEqual(['POST /mcp', ...Array.from({ length: 8 }, (_, poll) => `GET /mcp ${poll + 1}`)]);
  });
});

describe('the id of an event that a request is resumed after', () => {
  it('may be any text', async () => {
    await using rig = await connect(streams('id: é-事\ndata:\n\n', `data: ${response(7)}\n\n`));
    const sent = rig.transport.send(request);
    await rig.clock.armed();
    rig.clock.next();
    await sent;
    expect(Buffer.from(rig.requests[1] ?? '', 'latin1').toString()).toBe('GET /mcp é-事');
  });

  it('is none with characters that no header may have', async () => {
    await using rig = await connect(streams('id: \u0001\ndata:\n\n'));
    await expect(rig.transport.send(request)).rejects.toThrow('cut off');
    expect(rig.requests).toEqual(['POST /mcp']);
  });
});

describe('a request that needs no response any more', () => {
  it('as it is cancelled ends its exchange with the target', async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using rig = await connect((incoming, answer) => {
      let text = '';
      incoming.on('data', (chunk) => {
        text += String(chunk);
      });
      incoming.on('end', () => {
        if (text.includes('cancelled')) return answer.writeHead(202).end();
        answer.once('close', closed.resolve);
        return arrived.resolve();
      });
    });
    const sent = rig.transport.send(request).catch(() => 'aborted');
    await arrived.promise;
    await rig.transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    await closed.promise;
    expect(await sent).toBe('aborted');
  });

  it('and that a target of HTTP+SSE does not accept, ends with its cancellation, and soon after its response', async () => {
    const stream = Promise.withResolvers<ServerResponse>();
    const arrived = [Promise.withResolvers<ServerResponse>(), Promise.withResolvers<ServerResponse>()];
    const left = [...arrived];
    await using rig = await connect((incoming, answer) => {
      const held = incoming.method === 'POST' ? left.shift() : undefined;
      if (held !== undefined) return held.resolve(answer);
      if (incoming.method === 'POST') return answer.writeHead(202).end();
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: ?id=1\n\n');
      return stream.resolve(answer);
    }, 'http-sse');
    await rig.transport.start();
    const [cancelled, answered] = [request, { ...request, id: 8 }].map((message) =>
      rig.transport.send(message).catch(() => 'ended'),
    );
    const closed = arrived.map(async ({ promise }) => once(await promise, 'close'));
    await Promise.all(arrived.map(({ promise }) => promise));
    await rig.transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    expect(await cancelled).toBe('ended');
    (await stream.promise).write(`data: ${response(8)}\n\n`);
    await rig.clock.armed();
    expect(rig.clock.next()).toBe(1_000);
    expect(await answered).toBe('ended');
    await Promise.all(closed);
    expect(rig.clock.waiting()).toEqual([]);
  });
});

describe('a request to a target that redirects', () => {
  it('follows redirects of the same origin that keep the method, and no others', async () => {
    await using rig = await connect(({ url }, answer) => {
      const status = url === '/mcp' ? 307 : url === '/one' ? 308 : 302;
      const location = { '/mcp': '/one', '/one': '/two', '/two': '/three' }[url ?? ''] ?? '/';
      answer.writeHead(status, { location }).end();
    });
    await expect(rig.transport.send(request)).rejects.toThrow('status 302: redirects to /three');
    expect(rig.requests).toEqual(['POST /mcp', 'POST /one', 'POST /two']);

    await using away = await connect((_, answer) => answer.writeHead(307, { location: 'http://x.test/' }).end());
    await expect(away.transport.send(request)).rejects.toThrow('redirects to http://x.test/');
  });
});

it('a request is answered by lines of JSON, each of which is used when it arrives', async () => {
  const noted = '{"jsonrpc":"2.0","method":"notifications/x"}';
  const go = Promise.withResolvers<void>();
  await using rig = await connect(async (_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' }).write(`${noted}\n${noted}\n`);
    await go.promise;
    answer.end(JSON.stringify(JSON.parse(response(7)), undefined, 2));
  });
  const sent = rig.transport.send(request);
  await expect.poll(() => rig.received).toEqual([JSON.parse(noted), JSON.parse(noted)]);
  go.resolve();
  await sent;
  expect(rig.received.at(-1)).toEqual(JSON.parse(response(7)));
});

it('white space before and after a JSON answer is no message: a proxy sends it while a tool works', async () => {
  const pieces = [' ', '\n', '\r\n\t', `\n ${response(7)}\n`, '\n'];
  await using rig = await connect(async (_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    for (const piece of pieces) {
      answer.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    answer.end();
  });
  await rig.transport.send(request);
  expect([rig.received, rig.invalid]).toEqual([[JSON.parse(response(7))], []]);
});

it.each(['streamable-http', 'http-sse'] as const)(
  'a message without response that a target does not accept is given up after half a minute: %s',
  async (kind) => {
    const closed = Promise.withResolvers<void>();
    await using rig = await connect(({ method }, answer) => {
      if (method === 'POST') return answer.once('close', closed.resolve);
      return answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: ?id=1\n\n');
    }, kind);
    await rig.transport.start();
    const sent = rig.transport.send(initialized);
    const failed = expect(sent).rejects.toThrow('no answer within 30 s');
    await expect.poll(() => rig.requests.at(-1)).toContain('POST');
    expect(rig.clock.next()).toBe(30_000);
    await failed;
    await closed.promise;
  },
);

describe('HTTP+SSE', () => {
  it.each([
    ['no event stream', 'text/html', '<p>', 'text/html'],
    ['a stream that ends', 'text/event-stream', '', 'closed the connection'],
    ['an endpoint elsewhere', 'text/event-stream', 'event: endpoint\ndata: http://x.test/\n\n', 'own origin'],
    ['an endpoint that is no URL', 'text/event-stream', 'event: endpoint\ndata: http://\n\n', 'own origin'],
  ])('does not start with %s', async (_, type, text, reason) => {
    await using rig = await connect(
      (_request, answer) => answer.writeHead(200, { 'content-type': type }).end(text),
      'http-sse',
    );
    await expect(rig.transport.start()).rejects.toThrow(reason);
  });

  it('counts a large answer to a list before it is parsed: what is refused ends that request alone', async () => {
    const stream = Promise.withResolvers<ServerResponse>();
    await using rig = await connect((incoming, answer) => {
      if (incoming.method === 'POST') return answer.writeHead(202).end();
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: ?id=1\n\n');
      return stream.resolve(answer);
    }, 'http-sse');
    await rig.transport.start();
    const sizes: number[] = [];
    const list = (id: number, most: number): Promise<unknown> =>
      rig.transport
        .send(
          { jsonrpc: '2.0', id, method: 'tools/list' },
          {
            arriving({ bytes }) {
              sizes.push(bytes);
              if (bytes > most) throw new Error(`no room for ${id}`);
            },
          },
        )
        .catch(({ message }: Error) => message);
    const large = (id: number): string => `{"jsonrpc":"2.0","result":{"x":"${'x'.repeat(70_000)}"},"id":${id}}`;
    const [seventh, eighth, ninth] = [list(7, 1_000), list(8, 1_000_000), list(9, 1_000_000)];
    const open = await stream.promise;
    const write = (text: string): boolean => open.write(`data: ${text}\n\n`);
    write(large(7));
    expect(await seventh).toBe('no room for 7');
    write(large(6));
    write(large(8));
    expect(await eighth).toBeUndefined();
    expect(sizes).toEqual([large(7).length, large(8).length]);
    const batch = `[${large(9)},${'9'.repeat(8 * 2 ** 20)}]`;
    write(batch);
    expect(await ninth).toBe('a message is larger than 8388608 bytes');
    write(response(10));
    await expect.poll(() => rig.received.map((message) => 'id' in message && message.id)).toEqual([6, 8, 10]);
    expect(rig.failures).toEqual([]);
  });

  it('is lost with its stream, and not opened again', async () => {
    await using rig = await connect(
      streams('', `event: endpoint\ndata: ?id=1\n\ndata: ${response(7)}\n\n`),
      'http-sse',
    );
    await rig.transport.start();
    await expect.poll(() => rig.failures).toEqual(['the target closed the connection']);
    expect(rig.received).toEqual([JSON.parse(response(7))]);
    expect(rig.requests).toEqual(['GET /mcp']);
    expect(rig.clock.waiting()).toEqual([]);
  });
});
