import type { ClusterAccess } from './access.ts';
import { Connections } from './http/connection-pool.ts';
import { CredentialCache } from './credentials.ts';
import { createDispatcher, type Offer } from './http/dispatcher.ts';
import { Exchange } from './http/request-sender.ts';
import { LeftError } from './http/errors.ts';
import type { KubeConnection, KubeEdges } from './model.ts';
import { readTarget } from './kubeconfig/target.ts';

/**
 * Puts together the way to one API server. Opens nothing.
 *
 * @throws KubeConfigError when who and where is not described
 */
export function createConnection(access: ClusterAccess, { version, clock, counters }: KubeEdges): KubeConnection {
  const target = readTarget(access);
  const { server } = target;
  const credentials = new CredentialCache(access, target, clock);
  const offering = (offer: Offer): Connections =>
    new Connections((tls) => createDispatcher(target.cluster, tls, clock, offer));
  const [connections, forBodies] = [offering('h2'), offering('http/1.1')];
  const userAgent = `gatehouse/${version}`;
  const exchange = new Exchange({ server, userAgent, credentials, connections, forBodies, clock, counters });
  const reset = async (reason: string): Promise<void> => {
    const error = new LeftError(reason);
    await Promise.all([connections.reset(error), forBodies.reset(error)]);
  };
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
