import { createServer, type Socket } from 'node:net';
import { Server, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Clock, Counters, Logger, StopAsync } from '../../edges.ts';
import type { RequestGuard } from '../../net/guard/request-guard.ts';
import type { HostPort } from '../../net/host-port.ts';
import { listen } from '../../net/listener/http-listener.ts';
import { defaultHttpLimits, limitConnections, limitNewConnections } from '../../net/listener/limited-listener.ts';
import { isLoopback } from '../../net/loopback.ts';
import { Handshakes } from '../../net/tls/handshakes.ts';
import type { ServerCertificate } from '../../net/tls/server-certificate.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { settled, shutDown } from '../transport/bind.ts';
import { awaitPreface } from '../transport/connection-preface.ts';
import { Http2Server, type StreamGate } from '../transport/http2-server.ts';
import { maxHeaders } from '../transport/stream-admission.ts';
import { createCallGate } from './call-gate.ts';
import type { ClientStatusParts } from './csds/csds.ts';
import type { Health } from './health.ts';
import { type MethodPaths, registerOnDemand } from './request-response-stream.ts';

/** The admin listener, started. */
export interface RunningAdmin {
  /** The bound address, with the port that was chosen for 0. */
  readonly address: HostPort;
  readonly stop: StopAsync;
}

/** The dependencies of the admin listener. */
export interface AdminParts extends ClientStatusParts {
  readonly health: Health;
  /** A FileDescriptorSet of all messages on the wire. */
  readonly descriptorSet: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** What guards the listener when it is bound elsewhere than on loopback. Undefined: plaintext, and for everybody. */
  readonly security: AdminSecurity | undefined;
}

interface AdminSecurity {
  readonly certificate: ServerCertificate;
  /** Asked before each call but those of health. */
  readonly guard: RequestGuard;
}

/** The largest request; bytes. */
const maxRequest = 64 * 1024;

/** Bytes of all answers that are being made or sent: clients that do not read them hold no more memory than this. */
const maxUnsent = 64 * 1024 * 1024;

/** Concurrent calls of one connection (HTTP/2 MAX_CONCURRENT_STREAMS), as on the gateways' port. */
const maxCalls = 100;

const clientStatus = 'envoy.service.status.v3.ClientStatusDiscoveryService';

const clientStatusMethods: MethodPaths = {
  unary: [`/${clientStatus}/FetchClientStatus`],
  streams: [`/${clientStatus}/StreamClientStatus`],
};

const reflectionMethods: MethodPaths = {
  unary: [],
  streams: ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`),
};

/**
 * Serves health, CSDS and reflection on a listener of their own, by default on loopback, because CSDS shows the
 * configuration of every Gateway. Clients are not authenticated, so an address outside loopback is logged as a warning.
 */
export async function startAdmin(listening: HostPort, parts: AdminParts): Promise<RunningAdmin> {
  const calls = new FirstCalls();
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': maxRequest,
    'grpc.max_connection_idle_ms': defaultHttpLimits.idleTimeout,
    interceptors: [calls.interceptor],
  });
  const services = ['grpc.health.v1.Health', clientStatus];
  const { health, descriptorSet, log } = parts;
  health.register(server);
  const shared = { log, answers: new Quota(maxUnsent, 1) };
  registerOnDemand(
    server,
    clientStatusMethods,
    async () => (await import('./csds/csds.ts')).createClientStatus(parts),
    shared,
  );
  const reflection = { descriptorSet, services };
  registerOnDemand(
    server,
    reflectionMethods,
    async () => (await import('./reflection/reflection.ts')).createReflection(reflection),
    shared,
  );
  const { address, close, guarded } = await accept(listening, server, calls, parts);
  if (!isLoopback(address.host) && !guarded) {
    const remedy = 'listen on 127.0.0.1, or let nobody else reach it';
    log.warn('the admin listener shows every Gateway to whoever reaches it', { host: address.host, remedy });
  }
  return { address, stop: close };
}

/**
 * Accepts connections for a gRPC server, with the limits of the HTTP listeners: what counts as the first request head
 * is the first call.
 *
 * @throws ListenError
 */
async function accept(
  at: HostPort,
  grpc: Server,
  calls: FirstCalls,
  parts: AdminParts,
): Promise<{ readonly address: HostPort; readonly close: StopAsync; readonly guarded: boolean }> {
  const { clock, counters, log } = parts;
  const { begin, guarded } = beginnerOf(at, grpc, parts);
  const server = createServer();
  server.on('connection', (socket) => {
    // HTTP/2 handles the errors of its connection; one that is reset before is closed by its error.
    socket.on('error', ignoreError);
    calls.expect(socket, () => limiter.began(socket, () => false));
    begin(socket);
  });
  const limited = { listener: 'admin', clock, log };
  const turns = limitNewConnections(server, defaultHttpLimits, {
    ...limited,
    delayed: () => counters.count('gatehouse_http_connections_delayed_total', { listener: 'admin' }),
  });
  const limiter = limitConnections(
    server,
    defaultHttpLimits,
    {
      ...limited,
      lost: (reason) => counters.count('gatehouse_http_connections_lost_total', { listener: 'admin', reason }),
    },
    (socket) => turns.resetNow(socket),
  );
  const address = await listen(server, at);
  return {
    address,
    guarded,
    close() {
      turns.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      limiter.closeAll();
      return settled([closed, shutDown(grpc)], 0);
    },
  };
}

/**
 * Returns what begins HTTP/2 on a connection: in plaintext, or over TLS and with the guard asked before each call. Health
 * is for everybody: it says nothing but whether the process is well.
 */
function beginnerOf(
  { host }: HostPort,
  grpc: Server,
  { security, clock, log, counters }: AdminParts,
): { readonly begin: (socket: Socket) => void; readonly guarded: boolean } {
  const guard = isLoopback(host) ? undefined : security?.guard;
  const flooded = (): void =>
    counters.count('gatehouse_http_connections_lost_total', { listener: 'admin', reason: 'flooded' });
  const failed = countFailures({ clock, log, counters });
  const gate = createCallGate({ guard, clock, log, failed, flooded });
  const http2 = new Http2Server(grpc, { maxStreams: maxCalls, maxHeaders }, gate);
  const timeout = defaultHttpLimits.headTimeout;
  /** @param transport what HTTP/2 runs on: the socket itself, or TLS over it */
  const begin = (socket: Socket, transport: Socket): void =>
    awaitPreface(
      transport,
      ['http2'],
      { clock, timeout },
      {
        arrived(putBack) {
          const streams = putBack();
          const session = gate.mayBegin(socket.remoteAddress, streams) ? http2.begin(transport) : undefined;
          if (session === undefined) socket.resetAndDestroy();
          else gate.began(session, streams);
        },
        failed: () => socket.destroy(),
      },
    );
  if (security === undefined || isLoopback(host)) {
    return { begin: (socket) => begin(socket, socket), guarded: false };
  }
  const { certificate } = security;
  const handshakes = new Handshakes({ certificate, clock, log, timeout, protocol: 'h2', requestCertificate: false });
  return {
    guarded: true,
    begin: (socket) =>
      handshakes.begin(socket, {
        secured(secure) {
          secure.on('error', ignoreError);
          begin(socket, secure);
        },
        failed: () => socket.destroy(),
        flooded() {
          flooded();
          socket.resetAndDestroy();
        },
      }),
  };
}

/** Counts connections that end because of an error of HTTP/2, and logs once that there are some. */
function countFailures({ clock, log, counters }: Pick<AdminParts, 'clock' | 'log' | 'counters'>): StreamGate['failed'] {
  const throttle = new LogThrottle(clock, log);
  return (_, reason) => {
    counters.count('gatehouse_http_connections_lost_total', { listener: 'admin', reason });
    const fields = { listener: 'admin' };
    throttle.failed('http2', { reason, message: 'connections end because of errors of HTTP/2', fields });
  };
}

/** Notices the first call of each connection. gRPC tells of a call only the address of its client. */
class FirstCalls {
  readonly #expected = new Map<string, () => void>();

  readonly interceptor: ServerInterceptor = (_, call) => {
    const client = call.getPeer();
    this.#expected.get(client)?.();
    this.#expected.delete(client);
    if (interceptsNothing(call)) return call;
    throw new TypeError('a call of grpc-js tells no peer');
  };

  expect(socket: Socket, called: () => void): void {
    const client = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#expected.set(client, called);
    socket.once('close', () => this.#expected.delete(client));
  }
}

/**
 * grpc-js takes the call itself for one that nothing intercepts, as without interceptors, and its types do not say so. A
 * `ServerInterceptingCall` around it would hide the HTTP/2 stream from the limits of the calls.
 */
function interceptsNothing(call: Parameters<ServerInterceptor>[1]): call is ServerInterceptingCall {
  return 'getPeer' in call;
}

const ignoreError = (): void => {};
