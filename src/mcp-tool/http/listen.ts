import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StopAsync } from '../../edges.ts';

/** A port that cannot be listened on. The message says which, why, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** The system's name for it, such as `EADDRINUSE`. */
  readonly code: string;

  constructor(code: string, message: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A bound port. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Ends every connection and frees the port. */
  readonly stop: StopAsync;
}

/**
 * Listens for HTTP. Rejects with a ListenError.
 *
 * @param createHandler is given the address that was really bound, before the first request.
 */
export async function listen(
  host: string,
  port: number,
  createHandler: (boundHost: string) => RequestListener,
): Promise<Listening> {
  const server = createServer();
  server.headersTimeout = 10_000;
  const bound = await bind(server, host, port, createHandler);
  return { host: bound.address, port: bound.port, stop: () => close(server) };
}

function bind(
  server: Server,
  host: string,
  port: number,
  createHandler: (boundHost: string) => RequestListener,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(host, port, error)));
    server.listen(port, host, () => {
      const bound = server.address();
      if (typeof bound !== 'object' || bound === null) return reject(new Error('a TCP server has an address'));
      server.on('request', createHandler(bound.address));
      resolve(bound);
    });
  });
}

function listenError(host: string, port: number, error: NodeJS.ErrnoException): ListenError {
  const code = error.code ?? 'UNKNOWN';
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use. Choose another with --port, or 0 for a free one.',
    EACCES: 'ports below 1024 need a privilege. Choose another with --port.',
    EADDRNOTAVAIL: 'this machine has no such address. Choose another with --host.',
    ENOTFOUND: 'there is no such host name. Choose another with --host.',
  };
  return new ListenError(code, `cannot listen on ${hostAndPort(host, port)}: ${why[code] ?? error.message}`, {
    cause: error,
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** As URLs write it: an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
