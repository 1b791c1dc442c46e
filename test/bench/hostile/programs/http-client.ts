import { type Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { key, version as statelessVersion } from '../../../support/nodes/stateless-client.ts';

/** The addresses that attackers connect from; honest clients use 127.0.0.1. */
export const attackerAddresses = ['127.0.0.2', '127.0.0.3'] as const;

export interface SentRequest {
  readonly port: number;
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** The client's own address; 127.0.0.1 by default. */
  readonly from?: string;
  /** A new connection by default. */
  readonly agent?: Agent;
  /** Milliseconds until it is given up; 10,000 by default. */
  readonly timeout?: number;
  /** Aborted to leave without the response. */
  readonly leave?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
  readonly session: string | undefined;
}

/** Sends a request and reads the whole response. Rejects when there is none in time. */
export function send(sent: SentRequest): Promise<HttpReply> {
  const { port, method = 'GET', path = '/', headers = {}, body, from, agent, timeout = 10_000, leave } = sent;
  return new Promise((resolve, reject) => {
    const late = AbortSignal.timeout(timeout);
    const signal = leave === undefined ? late : AbortSignal.any([leave, late]);
    const options = { host: '127.0.0.1', port, method, path, headers, signal, agent: agent ?? false };
    const outgoing = request({ ...options, ...(from !== undefined && { localAddress: from }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const session = response.headers['mcp-session-id'];
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, session: typeof session === 'string' ? session : undefined });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A POST of one JSON-RPC message. */
export interface McpRequest extends Omit<SentRequest, 'method' | 'path' | 'body'> {
  readonly token: string;
  readonly session?: string | undefined;
  /** The message, or the text of the body. */
  readonly message: object | string;
}

export function sendMcp({ token, session, message, headers, ...rest }: McpRequest): Promise<HttpReply> {
  return send({
    ...rest,
    method: 'POST',
    path: '/mcp',
    headers: { ...mcpHeaders(token, session), ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
}

export function mcpHeaders(token: string, session: string | undefined): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(session !== undefined && { 'mcp-session-id': session }),
  };
}

export const handshake: object = handshakeOf('2025-11-25');

function handshakeOf(protocolVersion: string, capabilities: object = {}): object {
  const params = { protocolVersion, capabilities, clientInfo: { name: 'bench', version: '0' } };
  return { jsonrpc: '2.0', id: 0, method: 'initialize', params };
}

/** Opens a session of a revision of MCP; undefined when the gateway does not give one. */
export async function openSession({
  version = '2025-11-25',
  capabilities = {},
  ...from
}: Omit<McpRequest, 'message' | 'session'> & {
  readonly version?: string;
  readonly capabilities?: object;
}): Promise<string | undefined> {
  const { session } = await sendMcp({ ...from, message: handshakeOf(version, capabilities) });
  if (session === undefined) return undefined;
  await sendMcp({ ...from, session, message: { jsonrpc: '2.0', method: 'notifications/initialized' } });
  return session;
}

/** The last message in a response, which is an event stream or JSON; undefined when there is none. */
export function messageIn({ text }: HttpReply): { readonly result?: unknown; readonly error?: unknown } | undefined {
  const json = text.startsWith('{')
    ? text
    : text
        .split('\n')
        .findLast((line) => line.startsWith('data: {'))
        ?.slice(6);
  return json === undefined ? undefined : JSON.parse(json);
}

/** A POST of MCP 2026-07-28. @param meta what it says of itself besides what all say */
export function statelessRequest(
  token: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  meta: Readonly<Record<string, unknown>> = {},
): { readonly headers: Record<string, string>; readonly body: string } {
  const _meta = { [key('protocolVersion')]: statelessVersion, [key('clientCapabilities')]: {}, ...meta };
  const name = params['name'] ?? params['uri'];
  return {
    headers: {
      ...mcpHeaders(token, undefined),
      'mcp-protocol-version': statelessVersion,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  };
}

/** Sends a POST on a connection of its own, of which nothing is read until the caller resumes it. */
export function sendUnread(
  port: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  from: string,
): Socket {
  const fields = { ...headers, host: `127.0.0.1:${port}`, 'content-length': String(Buffer.byteLength(body)) };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => {
    socket.write(`POST /mcp HTTP/1.1\r\n${head.join('')}\r\n${body}`);
  });
  socket.on('error', () => {});
  return socket.pause();
}
