import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { Trace } from './model.ts';

/** What an attack leaves that is seen by what is asked of a target. */
export function targetAsked(target: string, line?: string): Trace {
  return { metric: 'gatehouse_gateway_target_requests_total', labels: { target }, line };
}

/** A JSON-RPC message that a target has received. */
export interface TargetMessage {
  readonly method?: string;
  readonly id?: string | number;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A Streamable HTTP server without sessions, which answers as its owner says, also wrongly. */
export interface BareTarget {
  readonly port: number;
  /** Connections that are open. */
  connections(): number;
  close(): void;
}

/** Answers a request other than the handshake. */
export type AnswerRequest = (message: TargetMessage, response: ServerResponse) => void;

export interface BareTargetOptions {
  /** 0 binds a free port. */
  readonly port: number;
  readonly answer: AnswerRequest;
  /** Answers GET, the stream of the target's own messages; 405 by default. */
  readonly stream?: (response: ServerResponse) => void;
  /** Speaks MCP 2026-07-28, which has no handshake. */
  readonly stateless?: boolean;
  /** Gives each handshake a session id. */
  readonly sessions?: boolean;
  /** Accepts no notification of this method. */
  readonly held?: string;
  /** Beside those that all have. */
  readonly capabilities?: object;
  readonly instructions?: string;
}

export async function startBareTarget({
  port,
  answer,
  stream,
  stateless = false,
  sessions = false,
  held,
  capabilities = {},
  instructions,
}: BareTargetOptions): Promise<BareTarget> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    response.on('error', () => {});
    if (request.method === 'GET' && stream !== undefined) return stream(response);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    void readMessage(request).then((message) => {
      if (message?.id === undefined && message?.method === held && held !== undefined) return;
      if (message?.id === undefined || message.method === undefined) response.writeHead(202).end();
      else if (stateless && message.method === 'initialize') response.writeHead(400).end();
      else if (stateless && message.method === 'server/discover') sendResult(response, message, discovery);
      else if (message.method === 'initialize') {
        if (sessions) response.setHeader('mcp-session-id', randomUUID());
        sendResult(response, message, { ...handshakeOf(message, capabilities), instructions });
      } else answer(message, response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Undefined for a body that is no JSON. */
export async function readMessage(request: IncomingMessage): Promise<TargetMessage | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

const common = { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {} };

/** @param more capabilities beside those that all have */
export function handshakeOf({ params }: TargetMessage, more: object = {}): object {
  const capabilities = { ...common, ...more };
  return { protocolVersion: params?.['protocolVersion'], capabilities, serverInfo: { name: 'bare', version: '0' } };
}

const discovery: object = {
  supportedVersions: ['2026-07-28'],
  capabilities: common,
  resultType: 'complete',
  ttlMs: 0,
  cacheScope: 'private',
};

export function sendResult(response: ServerResponse, { id }: TargetMessage, result: object): void {
  sendText(response, JSON.stringify({ jsonrpc: '2.0', id, result }));
}

/** Sends a JSON body as it is. */
export function sendText(response: ServerResponse, text: string | Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

/** The result of a list without entries, of any of the four lists. */
export const emptyList: object = { tools: [], prompts: [], resources: [], resourceTemplates: [] };

/** The page of an MCP App of the honest target. */
export const honestPage = 'ui://honest/page';

/** The result of a read, which says whose it is. */
export function pageOf(whose: 'honest' | 'rival'): object {
  return { contents: [{ uri: honestPage, mimeType: 'text/html', text: `a page of the ${whose} target` }] };
}
