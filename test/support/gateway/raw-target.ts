import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { portOf } from './gateway-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** A message that a target has received. */
interface Received {
  /** `answer` for a response to a request of the target; `params` is the response then. */
  readonly method: string;
  readonly params: Json;
  readonly id: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** A minimal Streamable HTTP server, with which a test sees and sends exactly what is on the wire. */
export interface RawTarget extends AsyncDisposable {
  readonly received: readonly Received[];
  /** What was received but for handshakes, which are made for a caller who may use something. */
  readonly asked: readonly Received[];
  target(name: string): Target;
  /** Resolves with the `nth` message of this method, counted from 1; at once when it has arrived already. */
  arrival(method: string, nth?: number): Promise<Received>;
  /** Resolves when the gateway has closed a connection. */
  readonly disconnected: Promise<void>;
}

/** Sends a notification, or with an id a request, before the response. */
type Say = (method: string, params: Json, id?: string) => void;

/**
 * Responds to a request: a result, an error, an HTTP status, a stream that ends without a response (`cut`), a body that
 * the test writes itself (`raw`), or `undefined` for a stream that stays open.
 */
export type Script = (request: Received, say: Say) => Answer | Promise<Answer>;
type Answer =
  | { readonly result: Json }
  | { readonly error: Json }
  | { readonly status: number }
  | { readonly cut: true }
  | { readonly raw: string; readonly chunks: Iterable<string> }
  | undefined;

interface RawTargetOptions {
  /** Every server capability by default. */
  readonly capabilities?: Json;
  /** The session id of the handshake; none by default. */
  readonly sessionId?: string | (() => string) | undefined;
  /** The instructions of the handshake; none by default. */
  readonly instructions?: string;
  /** Speaks MCP 2026-07-28 only: without a handshake, and with statuses for errors. */
  readonly stateless?: boolean;
  /** Speaks that revision with clients that do, and earlier ones with others. */
  readonly bothEras?: boolean;
  /** Handles GET requests; by default there is no stream of notifications. */
  readonly get?: RequestListener;
}

/** @param script handles all requests but the handshake */
export async function startRawTarget(
  script: Script,
  {
    capabilities = allCapabilities,
    sessionId,
    instructions,
    stateless: isStateless = false,
    bothEras = false,
    get = refuseGet,
  }: RawTargetOptions = {},
): Promise<RawTarget> {
  const received: Received[] = [];
  const awaited = new Set<() => void>();
  const disconnected = Promise.withResolvers<void>();

  const note = (message: Received): void => {
    received.push(message);
    for (const look of awaited) look();
  };

  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return get(request, response);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method, params = {}, id, ...rest } = JSON.parse(text);
    const { headers } = request;
    const message: Received =
      method === undefined ? { method: 'answer', params: rest, id, headers } : { method, params, id, headers };
    note(message);
    const stateless = isStateless || (bothEras && Object.hasOwn(Object(params['_meta']), versionKey));
    if (id === undefined || method === undefined) return void response.writeHead(202).end();
    response.once('close', () => {
      if (!response.writableFinished) disconnected.resolve();
    });
    if (method === 'initialize' && sessionId !== undefined) {
      response.setHeader('mcp-session-id', typeof sessionId === 'string' ? sessionId : sessionId());
    }
    const answer = await (stateless
      ? answerStateless(message, { capabilities, instructions }, () => script(message, sayOn(response)))
      : method === 'initialize'
        ? handshake(params, { capabilities, instructions })
        : method === 'server/discover'
          ? refusal
          : script(message, sayOn(response)));
    if (answer === undefined) return void openStream(response);
    if ('status' in answer) return void response.writeHead(answer.status).end();
    if ('raw' in answer) return writeRaw(response, answer.raw, answer.chunks);
    if (stateless && 'error' in answer) {
      response.writeHead(answer.error['code'] === -32601 ? 404 : 400, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    }
    openStream(response);
    response.end('cut' in answer ? ': nothing more\n\n' : event({ jsonrpc: '2.0', id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());

  return {
    received,
    get asked() {
      return received.filter(({ method }) => !handshakes.includes(method));
    },
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

const versionKey = 'io.modelcontextprotocol/protocolVersion';

const handshakes: readonly string[] = [
  'initialize',
  'notifications/initialized',
  'server/discover',
  'subscriptions/listen',
];

/** Of a request that names no session and is no handshake. */
const refusal: Answer = { status: 400 };

const refuseGet: RequestListener = (_, response) => response.writeHead(405).end();

const allCapabilities: Json = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {}, logging: {} };

function handshake({ protocolVersion }: Json, said: Json): Answer {
  return { result: { protocolVersion, ...said, serverInfo: { name: 'raw', version: '0' } } };
}

/** A request says its version in a header and in its body; nothing else is answered. */
function answerStateless({ method, params, headers }: Received, said: Json, answer: () => Answer | Promise<Answer>) {
  const version = Object(params['_meta'])[versionKey];
  if (version !== '2026-07-28' || headers['mcp-protocol-version'] !== version) {
    return { error: { code: -32022, message: 'Unsupported protocol version', data: { supported: ['2026-07-28'] } } };
  }
  if (headers['mcp-method'] !== method) return { error: { code: -32020, message: 'Header mismatch' } };
  const common = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' };
  if (method === 'server/discover') return { result: { ...common, supportedVersions: [version], ...said } };
  return answer();
}

function openStream(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

/** Writes no faster than the gateway reads, and no more once it has gone. */
function writeRaw(response: ServerResponse, type: string, chunks: Iterable<string>): void {
  response.writeHead(200, { 'content-type': type });
  const body = Readable.from(chunks);
  response.once('close', () => body.destroy());
  body.pipe(response);
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
