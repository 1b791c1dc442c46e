import type { Cluster } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../../edges.ts';
import { CONNECT_LIMIT, connectOptions, createConnector, PING_INTERVAL } from './connector.ts';
import type { TlsMaterial } from '../credentials.ts';

/** The protocols that are offered to a server: HTTP/2 before HTTP/1.1, or the latter alone. */
export type Offer = 'h2' | 'http/1.1';

const OPTIONS: Agent.Options = {
  connectTimeout: CONNECT_LIMIT,
  // A watch may be quiet for as long as it likes, and the wait for a head is limited by whoever sends the request.
  bodyTimeout: 0,
  headersTimeout: 0,
  // Less than the 90 seconds after which the API server itself closes an idle connection.
  keepAliveTimeout: 30_000,
  // Of a stream. A long list shall not wait for its own acknowledgements: 20 ms away, the list of 10,000 Services (12 MB,
  // not compressed) takes 1.4 s with undici's 256 KiB and 512 KiB of the connection, and 0.3 s with these, as over HTTP/1.1.
  initialWindowSize: 4 * 1024 * 1024,
  h2Options: { pingInterval: PING_INTERVAL, connectionWindowSize: 8 * 1024 * 1024 },
};

/** Connections to one cluster; one proxy at most, as the kubeconfig says. Opens nothing yet. */
export function createDispatcher({ proxyUrl }: Cluster, tls: TlsMaterial, clock: Clock, offer: Offer): Dispatcher {
  const allowH2 = offer === 'h2';
  const connecting = connectOptions(tls, allowH2);
  if (proxyUrl === undefined) return new Agent({ ...OPTIONS, allowH2, connect: createConnector(connecting, clock) });
  return new ProxyAgent({ ...OPTIONS, allowH2, uri: proxyUrl, requestTls: connecting });
}
