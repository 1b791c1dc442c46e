import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { codeOf } from '../errors.ts';

/**
 * Why a request was refused before anything else saw it: its head is too large, a chunk of its body or another part of
 * it is not as in RFC 9112, it has no `Host` or several, or it wants what the listener does not do (CONNECT, `Expect`).
 */
export type MalformedRequest = 'head-size' | 'chunk' | 'syntax' | 'host' | 'unsupported';

/** Settings and dependencies. */
export interface MalformedRequestsParts {
  /** The name of the listener, for the log. */
  readonly listener: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counts a request. */
  readonly malformed: ((reason: MalformedRequest) => void) | undefined;
  /** The response that is being written to a connection. */
  readonly responseOn: (socket: Duplex) => ServerResponse | undefined;
}

/** Refuses requests that the parser takes. Each is answered, and its connection closed. */
export interface Refusals {
  /** Returns whether a request has no `Host`, or several, of which two readers may take different ones (RFC 9112, 3.2). */
  readonly lacksHost: (request: IncomingMessage) => boolean;
  readonly refuseHost: RequestListener;
  /** Refuses an `Expect` other than `100-continue` (RFC 9110, section 10.1.1). */
  readonly refuseExpectation: RequestListener;
}

/**
 * Refuses requests that are not as HTTP/1.1 has them, with the statuses of Node, which says nothing of them otherwise.
 * Needs a server with `requireHostHeader: false`.
 *
 * @returns what refuses those that the parser takes, each in its turn
 */
export function refuseMalformed(
  server: Server,
  { listener, clock, log, malformed, responseOn }: MalformedRequestsParts,
): Refusals {
  const throttle = new LogThrottle(clock, log);
  const refused = (reason: MalformedRequest, address: string | undefined): void => {
    malformed?.(reason);
    throttle.failed(listener, {
      reason,
      message: 'requests are refused because they are not as HTTP/1.1 has them',
      fields: { listener, address },
    });
  };
  const failed = new WeakSet<Duplex>();
  server.on('clientError', (error, socket) => {
    // Node says so again with each piece that arrives until the socket is destroyed, which waits for what is unsent.
    if (failed.has(socket)) {
      socket.destroy();
      return;
    }
    failed.add(socket);
    const code = codeOf(error) ?? '';
    const reason = reasonFor(code);
    if (reason !== undefined) refused(reason, socket instanceof Socket ? socket.remoteAddress : undefined);
    if (socket.writable && !precedes(responseOn(socket))) socket.end(answerTo(code), () => socket.destroy());
    else socket.destroy();
  });
  server.on('connect', (request, socket) => {
    refused('unsupported', request.socket.remoteAddress);
    socket.destroy();
  });
  const refuseWith =
    (reason: MalformedRequest, status: number): RequestListener =>
    (request, response) => {
      refused(reason, request.socket.remoteAddress);
      response.writeHead(status, { connection: 'close' }).end();
    };
  return {
    lacksHost({ rawHeaders, httpVersion }) {
      const hosts = countHosts(rawHeaders);
      return hosts > 1 || (hosts === 0 && httpVersion === '1.1');
    },
    refuseHost: refuseWith('host', 400),
    refuseExpectation: refuseWith('unsupported', 417),
  };
}

/** Node keeps the first one alone. @param rawHeaders names and values in turn */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (const [index, name] of rawHeaders.entries()) {
    if (index % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/**
 * Returns whether a response comes before the answer to what is malformed: it has begun, or its request is complete, so
 * that what is malformed is another one.
 */
function precedes(response: ServerResponse | undefined): boolean {
  return response !== undefined && (response.headersSent || response.req.complete);
}

/** Undefined: the client left, or was too slow, which is counted elsewhere. */
function reasonFor(code: string): MalformedRequest | undefined {
  if (!code.startsWith('HPE_') || code === 'HPE_INVALID_EOF_STATE') return undefined;
  if (code === 'HPE_HEADER_OVERFLOW') return 'head-size';
  return code.includes('CHUNK') ? 'chunk' : 'syntax';
}

const statuses: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

function answerTo(code: string): string {
  const status = statuses.get(code) ?? 400;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`;
}
