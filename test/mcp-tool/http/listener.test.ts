import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/cli/system-clock.ts';
import { ListenError, startMcpTool } from '../../../src/mcp-tool/mcp-tool.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type RunningTool, runTool } from '../support/running-tool.ts';
import { startWebServer } from '../support/web-server.ts';

let clock: ManualClock;
let tool: RunningTool;
beforeEach(async () => {
  clock = createManualClock();
  tool = await runTool({ limits: { requestBytes: 1000, sseSessions: 2 } }, { clock });
});
afterEach(() => tool.stop());

/** An event stream, read one event or comment at a time. */
interface EventStream {
  readonly response: Response;
  next(): Promise<string>;
  /** Resolves when the stream has ended. */
  ended(): Promise<void>;
  close(): Promise<void>;
}
async function openStream(): Promise<EventStream> {
  const response = await fetch(`${tool.url}/sse`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let read = '';
  return {
    response,
    async next() {
      while (!read.includes('\n\n')) {
        const part = await reader?.read();
        if (part?.value === undefined) throw new Error('the stream has ended');
        read += part.value;
      }
      const [event = '', ...rest] = read.split('\n\n');
      read = rest.join('\n\n');
      return event;
    },
    async ended() {
      while ((await reader?.read().catch(() => undefined))?.done === false);
    },
    close: async () => reader?.cancel(),
  };
}
const endpointOf = (event: string): string => event.replace('event: endpoint\ndata: ', '');
const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(new URL(path, tool.url), { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const ping = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' });
const unknown = `/messages/?session_id=${'0'.repeat(32)}`;

describe('HTTP+SSE', () => {
  it('sends the endpoint first, accepts messages there, and sends responses on the stream', async () => {
    const stream = await openStream();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    const first = await stream.next();
    expect(first).toMatch(/^event: endpoint\ndata: \/messages\/\?session_id=[0-9a-f]{32}$/);
    const accepted = await post(endpointOf(first), ping);
    expect([accepted.status, await accepted.text()]).toEqual([202, 'Accepted']);
    const [name, data = ''] = (await stream.next()).split('\ndata: ');
    expect([name, JSON.parse(data)]).toEqual(['event: message', { jsonrpc: '2.0', id: 7, result: {} }]);
    await stream.close();
  });

  it('negotiates 2024-11-05, even if the client requests a newer revision', async () => {
    const stream = await openStream();
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    await post(
      endpointOf(await stream.next()),
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    );
    expect(await stream.next()).toContain('"protocolVersion":"2024-11-05"');
    await stream.close();
  });

  it.each([
    ['no session', '/messages/', 400, 'session_id is required'],
    ['an ill-formed session', '/messages/?session_id=1', 400, 'Invalid session ID'],
    ['an unknown session', unknown, 404, 'Could not find session'],
    ['an unknown session, without the slash', unknown.replace('/?', '?'), 404, 'Could not find session'],
  ])('rejects a message for %s', async (_, path, status, text) => {
    const answer = await post(path, ping);
    expect([answer.status, await answer.text()]).toEqual([status, text]);
  });

  it.each([
    ['that is no JSON', '{', {}, 400],
    ['that is no JSON-RPC', '{"hello":1}', {}, 400],
    ['of another type', ping, { 'content-type': 'text/plain' }, 415],
    ['that is too large', JSON.stringify({ jsonrpc: '2.0', method: 'x'.repeat(1000) }), {}, 413],
  ])('rejects a message %s, and keeps the session', async (_, body, headers, status) => {
    const stream = await openStream();
    const endpoint = endpointOf(await stream.next());
    expect((await post(endpoint, body, headers)).status).toBe(status);
    expect((await post(endpoint, ping)).status).toBe(202);
    expect(await stream.next()).toContain('"id":7');
    await stream.close();
  });

  it('rejects a chunked message at the limit', async () => {
    const stream = await openStream();
    const path = endpointOf(await stream.next());
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
      const request = httpRequest(new URL(path, tool.url), { method: 'POST', headers }, (response) =>
        resolve(response.statusCode),
      );
      request.once('error', reject);
      request.write('x'.repeat(1001));
    });
    expect(status).toBe(413);
    await stream.close();
  });
});

describe('an HTTP+SSE session', () => {
  it('ends when its stream closes', async () => {
    const stream = await openStream();
    const endpoint = endpointOf(await stream.next());
    await stream.close();
    await tool.log.line('session closed');
    expect((await post(endpoint, ping)).status).toBe(404);
  });

  it('aborts its conversions when it ends', async () => {
    const origin = await startWebServer(() => {});
    const stream = await openStream();
    const params = { name: 'convert_to_markdown', arguments: { uri: `http://127.0.0.1:${origin.port}/slow` } };
    await post(
      endpointOf(await stream.next()),
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    );
    const request = await origin.firstRequest('/slow');
    const dropped = new Promise((resolve) => request.socket.once('close', resolve));
    await stream.close();
    await dropped;
    await origin.stop();
  });

  it('is closed when its client leaves too many bytes unread', async () => {
    const roomy = await runTool({ limits: { concurrentConversions: 6, unreadBytes: 8_000_000 } });
    const socket = connect(roomy.port, '127.0.0.1');
    socket.write('GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const head: string = await new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.pause();
    const endpoint = new URL(/\/messages\S+/.exec(head)?.[0] ?? '', roomy.url);
    const params = { name: 'convert_to_markdown', arguments: { uri: `data:,${'x'.repeat(6_000_000)}` } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    for (let call = 0; call < 6; call += 1) await post(endpoint.href, body);
    await roomy.log.line('session closed');
    await roomy.log.line('an event stream was closed because its client does not read it');
    socket.destroy();
    await roomy.stop();
  });

  it('counts towards the limit of sessions until it ends', async () => {
    const streams = [await openStream(), await openStream()];
    const refused = await fetch(`${tool.url}/sse`);
    expect([refused.status, await refused.text()]).toEqual([503, 'There are 2 sessions open already']);
    await streams[0]?.close();
    await tool.log.line('session closed');
    const admitted = await openStream();
    expect(admitted.response.status).toBe(200);
    await Promise.all([streams[1]?.close(), admitted.close()]);
  });

  it('is kept alive by a comment every fifteen seconds', async () => {
    const stream = await openStream();
    await stream.next();
    for (const _ of [1, 2]) {
      clock.advance(15_000);
      expect(await stream.next()).toBe(': keep-alive');
    }
    await stream.close();
    await tool.log.line('session closed');
    expect(clock.waiting()).not.toContain(15_000);
  });
});

describe('a client that sends null for absent parameters', () => {
  it('is served as if they were absent, which deployed gateways need for a cursor', async () => {
    const stream = await openStream();
    const endpoint = endpointOf(await stream.next());
    const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    await post(endpoint, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
    await stream.next();
    await post(endpoint, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    await post(endpoint, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: null } }));
    expect(await stream.next()).toContain('convert_to_markdown');
    await post(endpoint, JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: null }));
    expect(await stream.next()).toContain('convert_to_markdown');
    await stream.close();
  });
});

describe('the listener', () => {
  it.each([
    ['GET', '/', 404, null],
    ['GET', '/messages/', 405, 'POST'],
    ['POST', '/sse', 405, 'GET'],
    ['GET', '/mcp', 405, null],
    ['DELETE', '/mcp', 405, null],
    ['GET', '/healthz', 200, null],
  ])('responds to %s %s with %d', async (method, path, status, allow) => {
    const answer = await fetch(`${tool.url}${path}`, { method });
    expect(answer.status).toBe(status);
    if (allow !== null) expect(answer.headers.get('allow')).toBe(allow);
  });

  it.each([
    ['*/*', 200],
    ['application/*, text/*;q=0.5', 200],
    ['text/html', 406],
  ])('answers Accept: %s at /mcp with %d', async (accept, status) => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect((await post('/mcp', body, { accept })).status).toBe(status);
  });

  it('rejects a large request at /mcp', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x'.repeat(1000) });
    expect((await post('/mcp', body)).status).toBe(413);
  });

  it.each(['evil.example', '10.0.0.1', 'localhost.evil.example'])('rejects the Host %s', async (host) => {
    expect(await statusFor({ host })).toBe(403);
  });

  it.each(['localhost', 'localhost:1', '127.0.0.1', '[::1]'])('accepts the Host %s', async (host) => {
    expect(await statusFor({ host })).toBe(200);
  });

  it('rejects the Origin of another site', async () => {
    expect(await statusFor({ origin: 'https://evil.example' })).toBe(403);
    expect(await statusFor({ origin: 'null' })).toBe(403);
    expect(await statusFor({ origin: 'http://localhost:6274' })).toBe(200);
  });

  it('accepts any Host if it does not listen on loopback', async () => {
    const everywhere = await runTool({ host: '0.0.0.0' });
    const answer = await statusFor({ host: 'mcp-tool.default.svc' }, everywhere.port);
    await everywhere.stop();
    expect(answer).toBe(200);
  });

  it('logs its address', () => {
    expect(tool.log.lines[0]).toEqual({
      level: 'info',
      message: 'listening',
      fields: { listener: 'mcp', address: `127.0.0.1:${tool.port}` },
    });
  });
});

describe('a bind error', () => {
  const start = (host: string, port: number): Promise<unknown> =>
    startMcpTool(
      { host, port, allowPrivateAddresses: false, version: '1' },
      { log: createRecordedLog(), clock: systemClock },
    );

  it('names the port in use and the remedy', async () => {
    const refused = start('127.0.0.1', tool.port);
    await expect(refused).rejects.toBeInstanceOf(ListenError);
    await expect(refused).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${tool.port} for MCP (--host, --port): the port is in use; stop the other program or choose another port`,
    });
  });

  it('has the code of an address of another machine', async () => {
    await expect(start('192.0.2.1', 0)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});

describe('stopping the server', () => {
  it('closes streams and idle connections, and may be called twice', async () => {
    const stream = await openStream();
    const idle = connect(tool.port, '127.0.0.1');
    const closed = new Promise((resolve) => idle.once('close', resolve));
    await new Promise((resolve) => idle.once('connect', resolve));
    await Promise.all([tool.stop(), tool.stop()]);
    await Promise.all([stream.ended(), closed]);
    expect(clock.waiting()).toEqual([]);
  });

  it('aborts running conversions', async () => {
    const origin = await startWebServer(() => {});
    const answer = tool.convert(`http://127.0.0.1:${origin.port}/slow`).catch((error: unknown) => error);
    const request = await origin.firstRequest('/slow');
    const dropped = new Promise((resolve) => request.socket.once('close', resolve));
    await tool.stop();
    await Promise.all([answer, dropped, origin.stop()]);
    expect(clock.waiting()).toEqual([]);
  });
});

function statusFor(headers: Record<string, string>, port: number = tool.port): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path: '/healthz', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}
