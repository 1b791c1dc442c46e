import { CredentialCache } from './credentials.ts';
import { ConnectionPool } from './http/connection-pool.ts';
import { createDispatcher, type HttpVersion } from './http/dispatcher.ts';
import { ConnectionClosedError } from './http/errors.ts';
import { RequestSender } from './http/request-sender.ts';
import { readClientConfig } from './kubeconfig/client-config.ts';
import type { ClusterAccess, KubeConnection, KubeEdges } from './model.ts';

/**
 * Assembles a connection: credentials, connection pools, request sender. Opens nothing.
 *
 * @throws KubeConfigError when server or user are not described
 */
export function createConnection(access: ClusterAccess, { version, clock, counters }: KubeEdges): KubeConnection {
  const config = readClientConfig(access);
  const { server } = config;
  const credentials = new CredentialCache(access, config, clock);
  const poolOf = (highest: HttpVersion): ConnectionPool =>
    new ConnectionPool((tls) => createDispatcher(config.cluster, tls, clock, highest));
  const [pool, bodyPool] = [poolOf('h2'), poolOf('http/1.1')];
  const userAgent = `gatehouse/${version}`;
  const listeners = new Set<{ readonly run: () => void }>();
  const succeeded = (): void => {
    for (const { run } of [...listeners]) run();
  };
  const sender = new RequestSender({ server, userAgent, credentials, pool, bodyPool, clock, counters, succeeded });
  const reset = async (reason: string): Promise<void> => {
    const error = new ConnectionClosedError(reason);
    await Promise.all([pool.reset(error), bodyPool.reset(error)]);
  };
  return {
    server: server.origin,
    send: (request) => sender.send(request, 'head'),
    ask: (request) => sender.ask(request),
    forgetCredentials: () => credentials.forget(),
    onSuccess: (run) => {
      const listener = { run };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reconnect: () => void reset('was left: nothing came from it for too long'),
    stop: () => {
      sender.stop();
      return reset('was left: the program stops');
    },
  };
}
