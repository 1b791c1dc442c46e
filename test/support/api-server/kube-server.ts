import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from './kube-certificates.ts';

/** A request that a server got, and the way to answer it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of HTTP, such as `2.0`. */
  readonly version: string;
  /** The body, once it is there. */
  readonly text: Promise<string>;
  head(status: number, headers?: Readonly<Record<string, string>>): void;
  write(chunk: string | Buffer): void;
  end(chunk?: string | Buffer): void;
  /** Settles when the answer is complete, or nobody waits for it any more. */
  readonly over: Promise<'complete' | 'left'>;
}

/** What a small API server of ours speaks. */
export type Protocol = 'http/1.1' | 'h2' | 'without TLS';

export interface KubeServer {
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly seen: readonly Seen[];
  /** How many connections were opened, and how many of them are open. */
  readonly opened: () => number;
  readonly open: () => number;
  /** Settles once so many requests have arrived. */
  arrived(count: number): Promise<void>;
  /** From now on new connections meet another certificate. */
  present(identity: Identity): void;
  /** Breaks every connection without a word. */
  cut(): void;
  stop(): void;
}

export interface KubeServerOptions {
  readonly protocol: Protocol;
  readonly identity: Identity;
  /** Asks clients for a certificate of this authority, and lets nobody in without. */
  readonly clientAuthority?: string;
  answer(request: Seen): void | Promise<void>;
}

/** An API server that does what a test says. Listens on a free port of 127.0.0.1. */
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
  // Also those whose handshake fails: this is the connection below TLS.
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

/** What the requests of both protocols have in common. */
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
      // As API servers do, for who wants that.
      return secured(createSecureServer({ ...tls, allowHTTP1: true }, handle));
  }
}

function secured<T extends Server & { setSecureContext(context: SecureContextOptions): void }>(
  server: T,
): { readonly server: Server; readonly present: (identity: Identity) => void } {
  // A client that does not trust us tells so by an alert, which is no error of this server.
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
