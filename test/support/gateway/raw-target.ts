import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf } from './gateway-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** A message as a target received it. */
interface Received {
  /** `answer` for what answers a request of the target; then the params are the answer. */
  readonly method: string;
  readonly params: Json;
  readonly id: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** A target of a few lines that speaks Streamable HTTP and lets a test see and say everything that is on the wire. */
export interface RawTarget extends AsyncDisposable {
  readonly received: readonly Received[];
  target(name: string): Target;
  /** Settles with the message of this method that has arrived or arrives as the `nth`, from 1. */
  arrival(method: string, nth?: number): Promise<Received>;
  /** Settles when a connection of the gateway has been closed by it. */
  readonly disconnected: Promise<void>;
}

/** Sends a notification, or with an id a request, before the answer. */
type Say = (method: string, params: Json, id?: string) => void;

/** Answers a request: a result, an error, a refusal, a stream that ends without one, or `undefined` for none at all. */
export type Script = (request: Received, say: Say) => Answer | Promise<Answer>;
type Answer =
  | { readonly result: Json }
  | { readonly error: Json }
  | { readonly status: number }
  | { readonly cut: true }
  | undefined;

/** @param script is not asked about the handshake, whose capabilities are all those of a server */
export async function startRawTarget(script: Script, capabilities: Json = allCapabilities): Promise<RawTarget> {
  const received: Received[] = [];
  const awaited = new Set<() => void>();
  const disconnected = Promise.withResolvers<void>();

  const note = (message: Received): void => {
    received.push(message);
    for (const look of awaited) look();
  };

  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method, params = {}, id, ...rest } = JSON.parse(text);
    const { headers } = request;
    const message: Received =
      method === undefined ? { method: 'answer', params: rest, id, headers } : { method, params, id, headers };
    note(message);
    if (id === undefined || method === undefined) return void response.writeHead(202).end();
    response.once('close', () => {
      if (!response.writableFinished) disconnected.resolve();
    });
    const answer = method === 'initialize' ? handshake(params, capabilities) : await script(message, sayOn(response));
    if (answer === undefined) return void openStream(response);
    if ('status' in answer) return void response.writeHead(answer.status).end();
    openStream(response);
    response.end('cut' in answer ? ': nothing more\n\n' : event({ jsonrpc: '2.0', id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());

  return {
    received,
    disconnected: disconnected.promise,
    target: (name) => ({ name, host: '127.0.0.1', port, path: '/mcp' }),
    arrival(method, nth = 1) {
      const { promise, resolve } = Promise.withResolvers<Received>();
      const look = (): void => {
        const found = received.filter((message) => message.method === method)[nth - 1];
        if (found !== undefined) resolve(found);
      };
      awaited.add(look);
      look();
      return promise.finally(() => awaited.delete(look));
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

function sayOn(response: ServerResponse): Say {
  return (method, params, id) => {
    openStream(response);
    response.write(event({ jsonrpc: '2.0', method, params, ...(id === undefined ? {} : { id }) }));
  };
}

function event(message: Json): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
