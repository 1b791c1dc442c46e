import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Target } from '../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf } from './gateway-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request as a target received it. */
export interface Received {
  readonly method: string;
  readonly params: Json;
  readonly id: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** A target of a few lines that speaks Streamable HTTP and lets a test see and say everything that is on the wire. */
export interface RawTarget extends AsyncDisposable {
  readonly received: readonly Received[];
  target(name: string): Target;
  /** Settles with the first message of this method that has arrived or arrives. */
  arrival(method: string): Promise<Received>;
  /** Settles when a connection of the gateway has been closed by it. */
  readonly disconnected: Promise<void>;
}

/** Answers a request: a result, an error, or `undefined` to answer nothing for now. `say` sends notifications before. */
export type Script = (request: Received, say: (method: string, params: Json) => void) => Answer | Promise<Answer>;
export type Answer = { readonly result: Json } | { readonly error: Json } | { readonly status: number } | undefined;

/** @param script is not asked about the handshake, whose capabilities are all those of a server */
export async function startRawTarget(script: Script, capabilities: Json = allCapabilities): Promise<RawTarget> {
  const received: Received[] = [];
  const awaited: { readonly method: string; readonly resolve: (received: Received) => void }[] = [];
  const disconnected = Promise.withResolvers<void>();

  const note = (message: Received): void => {
    received.push(message);
    for (const { method, resolve } of awaited) if (method === message.method) resolve(message);
  };

  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method, params = {}, id } = JSON.parse(text);
    const message: Received = { method, params, id, headers: request.headers };
    note(message);
    if (id === undefined) return void response.writeHead(202).end();
    response.once('close', () => {
      if (!response.writableFinished) disconnected.resolve();
    });
    const answer = method === 'initialize' ? handshake(params, capabilities) : await script(message, sayOn(response));
    if (answer === undefined) return void openStream(response);
    if ('status' in answer) return void response.writeHead(answer.status).end();
    openStream(response);
    response.end(event({ jsonrpc: '2.0', id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());

  return {
    received,
    disconnected: disconnected.promise,
    target: (name) => ({ name, host: '127.0.0.1', port, path: '/mcp' }),
    arrival(method) {
      const first = received.find((message) => message.method === method);
      if (first !== undefined) return Promise.resolve(first);
      const { promise, resolve } = Promise.withResolvers<Received>();
      awaited.push({ method, resolve });
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const allCapabilities: Json = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {}, logging: {} };

function handshake({ protocolVersion }: Json, capabilities: Json): Answer {
  return { result: { protocolVersion, capabilities, serverInfo: { name: 'raw', version: '0' } } };
}

function openStream(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

function sayOn(response: ServerResponse): (method: string, params: Json) => void {
  return (method, params) => {
    openStream(response);
    response.write(event({ jsonrpc: '2.0', method, params }));
  };
}

function event(message: Json): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
