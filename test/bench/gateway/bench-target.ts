import { createServer, type ServerResponse } from 'node:http';
import { emptyList, handshakeOf, readMessage, type TargetMessage } from '../hostile/programs/bare-target.ts';
import { toolResult } from './callers.ts';

/** A server with one tool, over Streamable HTTP without sessions at `/mcp`, and over HTTP+SSE at `/sse`. */
export async function startBenchTarget(port: number): Promise<Disposable> {
  const streams = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    response.on('error', () => {});
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://target');
    if (request.method === 'GET' && pathname === '/sse') return void openStream(streams, response);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const stream = streams.get(searchParams.get('session') ?? '');
    if (pathname === '/sse' && stream === undefined) return void response.writeHead(404).end();
    void readMessage(request).then((message) => {
      const answer = message?.id === undefined ? undefined : answerTo(message);
      if (stream !== undefined) {
        response.writeHead(202).end();
        if (answer !== undefined) stream.write(`data: ${answer}\n\n`);
      } else if (answer === undefined) response.writeHead(202).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

let opened = 0;

function openStream(streams: Map<string, ServerResponse>, response: ServerResponse): void {
  opened += 1;
  const id = String(opened);
  streams.set(id, response);
  response.on('close', () => streams.delete(id));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`event: endpoint\ndata: ?session=${id}\n\n`);
}

function answerTo(message: TargetMessage): string {
  const result =
    message.method === 'initialize' ? handshakeOf(message) : message.method === 'tools/call' ? toolResult : emptyList;
  return JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
}
