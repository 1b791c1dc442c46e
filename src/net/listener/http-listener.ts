import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { codeOf } from '../errors.ts';
import { formatHostPort, type HostPort } from '../host-port.ts';

/** The error of an address that cannot be bound. The message names the address, the reason and the remedy. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** The code of the operating system, such as `EADDRINUSE`; `UNKNOWN` without one. */
  readonly code: string;
  /** The reason and the remedy, without the address. */
  readonly reason: string;
  /** The requested address. */
  readonly at: HostPort;

  constructor(at: HostPort, purpose: string | undefined, cause: unknown) {
    const code = listenCode(cause);
    const reason = reasons.get(code) ?? (cause instanceof Error ? cause.message : String(cause));
    const what = purpose === undefined ? '' : ` for ${purpose}`;
    super(`cannot listen on ${formatHostPort(at)}${what}: ${reason}`, { cause });
    this.code = code;
    this.reason = reason;
    this.at = at;
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use; stop the other program or choose another port'],
  ['EACCES', 'this user may not bind the port; choose one above 1023'],
  ['EADDRNOTAVAIL', 'the address is not one of this machine'],
  ['ENOTFOUND', 'there is no such host name'],
]);

/** Returns the code of an error of Node, or the one in the message of a library that wraps it, such as grpc-js. */
function listenCode(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : '';
  return codeOf(cause) ?? [...reasons.keys()].find((code) => message.includes(code)) ?? 'UNKNOWN';
}

/**
 * Starts to listen. Returns the bound address: a name is resolved, and port 0 picks a free one.
 *
 * @param purpose of the listener, and the option that moves it elsewhere, for the error
 * @throws ListenError
 */
export async function listen(server: NetServer, at: HostPort, purpose?: string): Promise<HostPort> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host: at.host, port: at.port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new ListenError(at, purpose, error);
  } finally {
    server.off('error', reject);
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : at;
}

/** Stops listening and closes every connection at once; resolves when the port is free. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
