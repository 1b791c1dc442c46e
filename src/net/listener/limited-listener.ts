import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import type { Clock, Logger, StopAsync } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { stallTimeout as eventStreamStallTimeout } from '../event-streams.ts';
import type { HostPort } from '../host-port.ts';
import { Handshakes } from '../tls/handshakes.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { ConnectionLimiter, type ConnectionLimits, type ConnectionLoss } from './connection-limiter.ts';
import { type ConnectionRate, ConnectionTurns } from './connection-turns.ts';
import { close, listen } from './http-listener.ts';
import { KeptRequests } from './kept-requests.ts';
import { limitRequests, type Requests } from './limited-requests.ts';
import type { MalformedRequest } from './malformed-requests.ts';
import { maxOpenFiles } from './open-files.ts';

/** Limits of an HTTP listener. Times are in milliseconds. */
export interface HttpLimits extends ConnectionLimits {
  /** New connections, three quarters of them from one address; those beyond wait, for `headTimeout` at most. */
  readonly newConnections: ConnectionRate;
  /** Requests after the first one of a connection, three quarters of them from one address; undefined: not limited. */
  readonly keptRequests: ConnectionRate | undefined;
  /** A connection on which no byte moves, in either direction, while a request is being answered. */
  readonly stallTimeout: number;
  /** Bytes of a request line with all header fields; 431 beyond. */
  readonly maxHeaderSize: number;
}

/** The limits of a listener for a few clients, such as probes and people. */
export const defaultHttpLimits: HttpLimits = {
  // An open connection takes about 20 KiB: 20 MiB for each listener.
  maxConnections: 1_000,
  // A new connection takes about 100 µs, with TLS 1 ms: a fifth of a core. Probes and scrapes are a few in a second.
  newConnections: { rate: 200, burst: 1_000 },
  // Most answers take 100 µs, and a scrape 2 ms. A page and a script ask for some hundred at once, and then for a few.
  keptRequests: { rate: 200, burst: 500 },
  // A head is one packet or a few: several retransmissions fit.
  headTimeout: 5_000,
  // A body of 1 MiB at 17 KiB a second.
  requestTimeout: 60_000,
  // Proxies keep idle connections for up to a minute, and must not find one closed that they are about to use.
  idleTimeout: 65_000,
  // Event streams have a shorter limit of their own, and a line in the log.
  stallTimeout: eventStreamStallTimeout + 60_000,
  // Node's own default: room for a token with many claims.
  maxHeaderSize: 16 * 1024,
};

/** Header fields of one request; 431 beyond. Browsers and proxies send about thirty. */
const maxHeaders = 100;

/** The part of the files that the process may open which the connections of one listener may take. */
const openFilesShare = 1 / 2;

/**
 * Milliseconds without a loss after which too many connections are over for the log: somebody who opens and leaves them
 * again and again would write a line with each.
 */
const calm = 30_000;

/** Milliseconds that Node waits longer than the limiter, which closes connections a few at once. */
const nodeTimeoutMargin = 30_000;

/** Settings and dependencies of a listener. */
export interface LimitedListenerParts {
  /** The name of the listener, for the log. */
  readonly listener: string;
  /** The purpose of the listener, and the option that moves it elsewhere, for the error of an address in use. */
  readonly purpose?: string;
  /** Overrides of {@link defaultHttpLimits}. */
  readonly limits?: Partial<HttpLimits>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: plaintext. */
  readonly certificate: ServerCertificate | undefined;
  /** Counts a connection that the limits closed. */
  readonly lost?: (reason: ConnectionLoss | 'pipelined' | 'chunks' | 'flooded') => void;
  /** Counts that connections, or requests on them, wait because there were too many new ones. */
  readonly delayed?: () => void;
  /** Counts a request that is not as HTTP/1.1 has it. */
  readonly malformed?: (reason: MalformedRequest) => void;
}

/** A running HTTP listener. */
export interface LimitedListener {
  /** The bound address: a name is resolved, and port 0 picks a free one. */
  readonly address: HostPort;
  /** Stops to listen, closes idle connections, and resolves when no request is being answered. */
  readonly drain: StopAsync;
  /** Stops to listen, closes every connection at once, and resolves when the port is free. */
  readonly close: StopAsync;
}

/**
 * Listens for HTTP. The one way to do that: connections are limited in number and in time, so that strangers who open
 * connections, or send requests slowly, keep nobody else out. Logs once when connections are closed because of their
 * number, and once when that is over.
 *
 * @param handlerFor returns the handler of all requests, for the bound address
 * @throws ListenError
 */
export async function openLimitedListener(
  at: HostPort,
  handlerFor: (bound: HostPort) => RequestListener,
  parts: LimitedListenerParts,
): Promise<LimitedListener> {
  const limits = { ...defaultHttpLimits, ...parts.limits };
  const server = createServer({
    maxHeaderSize: limits.maxHeaderSize,
    // Node would refuse a request without it, and not say so.
    requireHostHeader: false,
    // Said to clients, who then do not use a connection that is about to be closed.
    keepAliveTimeout: limits.idleTimeout,
    keepAliveTimeoutBuffer: nodeTimeoutMargin,
    headersTimeout: limits.idleTimeout + nodeTimeoutMargin,
    requestTimeout: limits.idleTimeout + limits.requestTimeout + nodeTimeoutMargin,
  });
  server.maxHeadersCount = maxHeaders;
  server.setTimeout(limits.stallTimeout);
  const accepting = acceptingServer(server, limits, parts);
  const address = await listen(accepting.server, at, parts.purpose);
  const kept = new KeptRequests({ ...parts, rate: limits.keptRequests });
  const responses = limitRequests(server, handlerFor(address), { ...parts, limiter: accepting.limiter, kept });
  return {
    address,
    drain() {
      accepting.server.close();
      return responses.drained();
    },
    close: accepting.close,
  };
}

interface Accepting {
  readonly server: NetServer;
  readonly limiter: Requests;
  readonly close: StopAsync;
}

/**
 * Limits the connections of an HTTP server where they are accepted: in front of TLS, so that a handshake that does not
 * come to its end counts as a connection without a request.
 */
function acceptingServer(server: Server, limits: HttpLimits, parts: LimitedListenerParts): Accepting {
  const { certificate, clock, log } = parts;
  if (certificate === undefined) {
    const turns = limitNewConnections(server, limits, parts);
    const limiter = limitConnections(server, limits, parts, (socket) => turns.resetNow(socket));
    return {
      server,
      limiter,
      close() {
        turns.close();
        return close(server);
      },
    };
  }
  const timeout = limits.headTimeout;
  const handshakes = new Handshakes({
    certificate,
    clock,
    log,
    timeout,
    protocol: 'http/1.1',
    requestCertificate: false,
  });
  const accepted = new WeakMap<Socket, Socket>();
  const outer = createNetServer((socket) => {
    socket.on('error', () => {});
    handshakes.begin(socket, {
      secured(secure) {
        accepted.set(secure, socket);
        server.emit('connection', secure);
      },
      failed: () => socket.destroy(),
      flooded() {
        parts.lost?.('flooded');
        socket.resetAndDestroy();
      },
    });
  });
  const turns = limitNewConnections(outer, limits, parts);
  const limiter = limitConnections(outer, limits, parts, (socket) => turns.resetNow(socket));
  const of = (secure: Socket): Socket => accepted.get(secure) ?? secure;
  return {
    server: outer,
    limiter: {
      began: (socket, isReceiving) => limiter.began(of(socket), isReceiving),
      answered: (socket) => limiter.answered(of(socket)),
    },
    close() {
      turns.close();
      const closed = new Promise<void>((resolve) => outer.close(() => resolve()));
      limiter.closeAll();
      return closed;
    },
  };
}

/**
 * Makes the connections of a server, HTTP or other, begin in turn, at the rate of its limits. Call it when the server has
 * its own listener of the event `connection`. Logs once in ten minutes that connections wait: whether they still do
 * depends on those who open them.
 */
export function limitNewConnections(
  server: NetServer,
  { newConnections }: Pick<HttpLimits, 'newConnections'>,
  parts: Pick<LimitedListenerParts, 'listener' | 'clock' | 'log' | 'delayed'>,
): ConnectionTurns {
  const { listener, clock, log } = parts;
  const throttle = new LogThrottle(clock, log);
  return new ConnectionTurns(server, {
    ...newConnections,
    clock,
    delayed(address) {
      parts.delayed?.();
      throttle.failed(listener, {
        reason: 'too many new connections',
        message: 'new connections wait, because more are opened in a second than the listener accepts',
        fields: { listener, maxPerSecond: newConnections.rate, address },
      });
    },
  });
}

/**
 * Limits the connections of a server, HTTP or other. Those that are refused are destroyed when the other listeners of
 * the event `connection` see them.
 *
 * @param reset a connection that makes room for a new one
 */
export function limitConnections(
  server: NetServer,
  limits: ConnectionLimits,
  { listener, clock, log, lost }: Pick<LimitedListenerParts, 'listener' | 'clock' | 'log' | 'lost'>,
  reset: (socket: Socket) => void = (socket) => void socket.resetAndDestroy(),
): ConnectionLimiter {
  const maxConnections = Math.min(limits.maxConnections, Math.floor(maxOpenFiles() * openFilesShare));
  if (maxConnections < limits.maxConnections) {
    const remedy = 'raise the limit of open files (ulimit -n)';
    log.warn('fewer connections than configured', {
      listener,
      maxConnections,
      configured: limits.maxConnections,
      remedy,
    });
  }
  const throttle = new LogThrottle(clock, log);
  const timeouts = new RateLimiter(clock, usualTimeouts);
  let lastLoss = Number.NEGATIVE_INFINITY;
  const limiter = new ConnectionLimiter(
    { ...limits, maxConnections },
    {
      clock,
      reset,
      lost(reason, address) {
        lost?.(reason);
        if (reason === 'timeout') {
          if (timeouts.tryTake() > 0)
            throttle.failed(`${listener} timeouts`, { ...manyTimeouts, fields: { listener, address } });
          return;
        }
        lastLoss = clock.monotonic();
        throttle.failed(listener, {
          reason: 'too many connections',
          message: 'connections are closed to make room for new ones, first those that send no complete request',
          fields: { listener, maxConnections, address },
        });
      },
    },
  );
  const logRecovery = (): void => {
    const isOver = limiter.open <= maxConnections / 2 && clock.monotonic() - lastLoss >= calm;
    if (isOver) throttle.recovered(listener, 'fewer connections again', { listener });
  };
  // Before Node's own listener, which begins to read.
  server.prependListener('connection', (socket) => {
    if (limiter.admit(socket)) socket.once('close', logRecovery);
  });
  return limiter;
}

/** Those that are slow and no attack, such as connections that browsers open in advance. */
const usualTimeouts = { rate: 5, burst: 100 };

const manyTimeouts = {
  reason: 'timeout',
  message: 'many connections are closed because no complete request arrives in time',
};
