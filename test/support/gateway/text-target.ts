import { createServer, type ServerResponse } from 'node:http';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf } from './gateway-rig.ts';

/** How the target answers a request: as JSON or on an event stream of Streamable HTTP, over HTTP+SSE, or without handshake. */
export type TextTransport = 'json' | 'event stream' | 'http-sse' | 'stateless';

/** A target whose messages are texts that the test writes, and that keeps those that it gets. */
export interface TextTarget extends AsyncDisposable {
  target(name: string): Target;
  /** The last message of each method, as it was on the wire. */
  readonly received: ReadonlyMap<string, string>;
}

/** @param answer returns the messages that a request causes, the response last; all but that are dropped for `json` */
export async function startTextTarget(
  transport: TextTransport,
  answer: (request: { readonly id: unknown; readonly method: string; readonly text: string }) => readonly string[],
): Promise<TextTarget> {
  const received = new Map<string, string>();
  let stream: ServerResponse | undefined;

  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      if (transport !== 'http-sse') return void response.writeHead(405).end();
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void stream.write('event: endpoint\ndata: /post\n\n');
    }
    if (transport === 'http-sse' && request.url !== '/post') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { id, method } = JSON.parse(text);
    received.set(method, text);
    const messages = id === undefined ? [] : answersTo({ id, method, text });
    if (transport === 'stateless' && (method === 'initialize' || request.headers['mcp-method'] !== method)) {
      const error = { code: -32022, message: 'Unsupported protocol version' };
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
    } else if (transport === 'http-sse') {
      response.writeHead(202).end();
      stream?.write(messages.map(eventOf).join(''));
    } else if (messages.length === 0) {
      response.writeHead(202).end();
    } else if (transport === 'json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(messages.at(-1));
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(messages.map(eventOf).join(''));
    }
  });
  const answersTo: typeof answer = (request) => {
    const capabilities = { tools: {}, logging: {} };
    if (request.method === 'server/discover' && transport === 'stateless') {
      const result = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities };
      return [JSON.stringify({ jsonrpc: '2.0', id: request.id, result })];
    }
    if (request.method !== 'initialize') return answer(request);
    const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: {} };
    return [JSON.stringify({ jsonrpc: '2.0', id: request.id, result })];
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  return {
    received,
    target: (name) => ({ name, host: '127.0.0.1', port, path: '/mcp' }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One `data` field for each line. */
function eventOf(message: string): string {
  return `event: message\n${message
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}
