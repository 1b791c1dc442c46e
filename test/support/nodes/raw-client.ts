import type { GatewayRig } from '../gateway/gateway-rig.ts';

type Json = Readonly<Record<string, unknown>>;

/** The response to one request as it was on the wire. */
interface Reply {
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  /** The messages on the same stream before the response. */
  readonly before: readonly Json[];
}

/** A minimal Streamable HTTP client, for requests that the SDK clients do not send. */
export interface RawClient {
  readonly sessionId: string;
  request(method: string, params?: Json, options?: RequestOptions): Promise<Reply>;
  notify(method: string, params?: Json): Promise<Response>;
  /** Sends the response to a request of the gateway, by default as the session's own caller. */
  answer(id: unknown, outcome: Json, token?: string): Promise<Response>;
  /** Opens the GET stream of server messages, or continues the stream with an event. */
  listen(token?: string, lastEventId?: string): Promise<EventReader>;
}

interface RequestOptions {
  /** Overrides the token of the session. */
  readonly token?: string;
  readonly id?: string | number;
  /** Receives each notification before the response. */
  readonly said?: (message: Json) => void;
}

interface EventReader {
  /** The next message on the stream; `undefined` at its end. */
  next(): Promise<Json | undefined>;
  /** The id of the last event. */
  lastId(): string;
}

/** Opens a session with the handshake of MCP 2025-11-25. */
export async function openRawClient(
  gateway: GatewayRig,
  token: string,
  version = '2025-11-25',
  capabilities: Json = {},
): Promise<RawClient> {
  const opened = await post(gateway, token, undefined, initialize(version, capabilities));
  await readReply(opened);
  const sessionId = opened.headers.get('mcp-session-id') ?? '';
  let nextId = 1;
  const client: RawClient = {
    sessionId,
    async request(method, params = {}, { token: other = token, id = nextId++, said } = {}) {
      const response = await post(gateway, other, sessionId, { jsonrpc: '2.0', id, method, params });
      if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
        const reply: Omit<Reply, 'before'> = JSON.parse(await response.text());
        return { ...reply, before: [] };
      }
      return readReply(response, said);
    },
    notify: (method, params = {}) => post(gateway, token, sessionId, { jsonrpc: '2.0', method, params }),
    answer: (id, outcome, other = token) => post(gateway, other, sessionId, { jsonrpc: '2.0', id, ...outcome }),
    async listen(other = token, lastEventId) {
      const resume: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const response = await fetch(`${gateway.url}/mcp`, { headers: { ...headersOf(other, sessionId), ...resume } });
      if (response.status !== 200) throw new Error(`GET /mcp: ${response.status}`);
      return readEvents(response);
    },
  };
  await client.notify('notifications/initialized');
  return client;
}

export function initialize(protocolVersion = '2025-11-25', capabilities: Json = {}): Json {
  const params = { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '0' } };
  return { jsonrpc: '2.0', id: 0, method: 'initialize', params };
}

/** A `ping` with parameters of this nesting depth: valid JSON that is too deep to be serialized. */
export function nestedMessage(levels: number): string {
  const params = `{"deep":${'['.repeat(levels)}${']'.repeat(levels)}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"ping","params":${params}}`;
}

export function post(
  gateway: GatewayRig,
  token: string | undefined,
  sessionId: string | undefined,
  body: unknown,
  more: Readonly<Record<string, string>> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { ...headersOf(token, sessionId), ...more },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  });
}

function headersOf(token: string | undefined, sessionId: string | undefined): Record<string, string> {
  return {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
  };
}

async function readReply(response: Response, said?: (message: Json) => void): Promise<Reply> {
  const events = readEvents(response);
  const before: Json[] = [];
  for (;;) {
    const message = await events.next();
    if (message === undefined) throw new Error('the stream ended without an answer');
    if ('result' in message || 'error' in message) return { ...message, before };
    before.push(message);
    said?.(message);
  }
}

/** Reads server-sent events with one `data` line each; the gateway writes no others. */
export function readEvents(response: Response): EventReader {
  const lines = linesOf(response);
  let lastId = '';
  return {
    lastId: () => lastId,
    async next() {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) return undefined;
        if (value.startsWith('id: ')) lastId = value.slice('id: '.length);
        if (value.startsWith('data: {')) return JSON.parse(value.slice('data: '.length));
      }
    },
  };
}

export async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
