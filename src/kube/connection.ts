import type { ClusterAccess } from './access.ts';
import { Connections } from './connections.ts';
import { CredentialCache } from './credentials.ts';
import { createDispatcher } from './dispatcher.ts';
import { Exchange } from './exchange.ts';
import { LeftError } from './failure.ts';
import type { KubeConnection, KubeEdges } from './model.ts';
import { readTarget } from './target.ts';

/**
 * Puts together the way to one API server. Opens nothing.
 *
 * @throws KubeConfigError when who and where is not described
 */
export function createConnection(access: ClusterAccess, { version, clock, counters }: KubeEdges): KubeConnection {
  const target = readTarget(access);
  const { server } = target;
  const credentials = new CredentialCache(access, target, clock);
  const connections = new Connections((tls) => createDispatcher(target.cluster, tls, clock));
  const userAgent = `gatehouse/${version}`;
  const exchange = new Exchange({ server, userAgent, credentials, connections, clock, counters });
  const reset = (reason: string): Promise<void> => connections.reset(new LeftError(reason));
  return {
    server: server.origin,
    send: (request) => exchange.send(request, 'head'),
    ask: (request) => exchange.ask(request),
    forgetCredentials: () => credentials.forget(),
    reconnect: () => void reset('was left: nothing came from it for too long'),
    stop: () => {
      exchange.stop();
      return reset('was left: the program stops');
    },
  };
}
