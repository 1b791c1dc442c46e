import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from './kube-certificates.ts';

/** A request that was received, with the methods to respond. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The HTTP version, such as `2.0`. */
  readonly version: string;
  /** The body. */
  readonly text: Promise<string>;
  head(status: number, headers?: Readonly<Record<string, string>>): void;
  write(chunk: string | Buffer): void;
  end(chunk?: string | Buffer): void;
  /** Settles when the response is complete, or the client has left. */
  readonly over: Promise<'complete' | 'left'>;
}

/** The protocol of a test server. */
export type Protocol = 'http/1.1' | 'h2' | 'without TLS';

export interface KubeServer {
  readonly url: string;
  /** All requests, in the order of arrival. */
  readonly seen: readonly Seen[];
  /** The number of connections that were opened, and that are open. */
  readonly opened: () => number;
  readonly open: () => number;
  /** Settles once this number of requests were received. */
  arrived(count: number): Promise<void>;
  /** Sets the certificate of new connections. */
  present(identity: Identity): void;
  /** Destroys all connections. */
  cut(): void;
  stop(): void;
}

export interface KubeServerOptions {
  readonly protocol: Protocol;
  readonly identity: Identity;
  /** Requires client certificates of this authority. */
  readonly clientAuthority?: string;
  answer(request: Seen): void | Promise<void>;
}

/** Starts an API server whose responses a test defines, on a free port of 127.0.0.1. */
export async function createKubeServer(options: KubeServerOptions): Promise<KubeServer> {
  const seen: Seen[] = [];
  const awaited: { readonly count: number; readonly resolve: () => void }[] = [];
  const handle = (request: Asked, response: Answering): void => {
    const one = seenOf(request, response);
    seen.push(one);
    for (const waiter of awaited) if (seen.length >= waiter.count) waiter.resolve();
    void options.answer(one);
  };
  const { server, present } = serverOf(options, handle);
  const sockets = new Set<Socket>();
  let opened = 0;
  // TCP connections, including those whose TLS handshake fails.
  server.on('connection', (socket: Socket) => {
    opened++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${options.protocol === 'without TLS' ? 'http' : 'https'}://127.0.0.1:${portOf(server)}`,
    seen,
    opened: () => opened,
    open: () => sockets.size,
    arrived(count) {
      const waiting = Promise.withResolvers<void>();
      if (seen.length >= count) waiting.resolve();
      else awaited.push({ count, resolve: waiting.resolve });
      return waiting.promise;
    },
    present,
    cut,
    stop() {
      server.close();
      cut();
    },
  };
}

/** The common part of requests of both protocols. */
interface Asked extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
}

type Answering = Writable & { writeHead(status: number, headers: Readonly<Record<string, string>>): unknown };

function serverOf(
  { protocol, identity, clientAuthority }: KubeServerOptions,
  handle: (request: Asked, response: Answering) => void,
): { readonly server: Server; readonly present: (identity: Identity) => void } {
  const tls = { ...identity, ...(clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true }) };
  switch (protocol) {
    case 'without TLS':
      return { server: createServer(handle), present: () => {} };
    case 'http/1.1':
      return secured(createTlsServer(tls, handle));
    case 'h2':
      // With HTTP/1.1 as the alternative, as API servers.
      return secured(createSecureServer({ ...tls, allowHTTP1: true }, handle));
  }
}

function secured<T extends Server & { setSecureContext(context: SecureContextOptions): void }>(
  server: T,
): { readonly server: Server; readonly present: (identity: Identity) => void } {
  // The alert of a client that does not trust the certificate is no error of this server.
  server.on('tlsClientError', () => {});
  server.on('sessionError', () => {});
  return { server, present: (identity) => server.setSecureContext(identity) };
}

function seenOf(request: Asked, response: Answering): Seen {
  const { promise: over, resolve } = Promise.withResolvers<'complete' | 'left'>();
  let ended = false;
  response.on('close', () => resolve(ended ? 'complete' : 'left'));
  response.on('error', () => {});
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    version: request.httpVersion,
    text: textOf(request),
    head: (status, headers = {}) => void response.writeHead(status, headers),
    write: (chunk) => void response.write(chunk),
    end(chunk) {
      ended = true;
      if (chunk !== undefined) response.write(chunk);
      response.end();
    },
    over,
  };
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
  } catch {
    return 'broken off';
  }
  return Buffer.concat(chunks).toString();
}

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}
