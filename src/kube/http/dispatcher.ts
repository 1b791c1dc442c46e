import { TLSSocket } from 'node:tls';
import type { Cluster } from '@kubernetes/client-node';
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../../edges.ts';
import type { TlsMaterial } from '../credentials.ts';

/** The highest protocol that is offered to a server: HTTP/2 with HTTP/1.1 as the alternative, or HTTP/1.1 alone. */
export type HttpVersion = 'h2' | 'http/1.1';

/** Connect timeout, in milliseconds: that of client-go. */
const connectTimeout = 30_000;

/** Interval of HTTP/2 PINGs, in milliseconds. */
const pingInterval = 15_000;

/** PINGs in a row without an answer after which a connection is dead: 45 seconds, as client-go's 30 and 15. */
const maxUnansweredPings = 3;

const agentOptions: Agent.Options = {
  connectTimeout: connectTimeout,
  // A watch may be idle for any time; the wait for a head is limited by the request sender.
  bodyTimeout: 0,
  headersTimeout: 0,
  // Less than the 90 seconds after which the API server itself closes an idle connection.
  keepAliveTimeout: 30_000,
  // Flow-control window of a stream. Over a path of 20 ms, the list of 10,000 Services (12 MB, not compressed) takes
  // 1.4 s with undici's 256 KiB (512 KiB for the connection), and 0.3 s with these, as over HTTP/1.1.
  initialWindowSize: 4 * 1024 * 1024,
  h2Options: { pingInterval: pingInterval, connectionWindowSize: 8 * 1024 * 1024 },
};

/** Creates the dispatcher for one cluster, through the proxy of the kubeconfig if it names one. Opens nothing. */
export function createDispatcher(
  { proxyUrl }: Cluster,
  tls: TlsMaterial,
  clock: Clock,
  highest: HttpVersion,
): Dispatcher {
  const allowH2 = highest === 'h2';
  const options = connectOptions(tls, allowH2);
  if (proxyUrl === undefined) return new Agent({ ...agentOptions, allowH2, connect: createConnector(options, clock) });
  return new ProxyAgent({ ...agentOptions, allowH2, uri: proxyUrl, requestTls: options });
}

/**
 * Returns the options of connections, direct ones and those through a proxy. TCP keep-alive finds a dead HTTP/1.1
 * connection, and an idle HTTP/2 one; it rests while data is unacknowledged, so that HTTP/2 needs PINGs as well.
 */
function connectOptions(tls: TlsMaterial, allowH2: boolean): buildConnector.BuildOptions {
  return {
    ...tls,
    allowH2,
    preferH2: allowH2,
    timeout: connectTimeout,
    keepAlive: true,
    // 30 s as client-go's: undici's default of 60 s is also that of some load balancers, which then forget silently.
    keepAliveInitialDelay: 30_000,
  };
}

/** Opens connections, and destroys HTTP/2 ones that turn out to be dead. */
function createConnector(options: buildConnector.BuildOptions, clock: Clock): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...outcome) => {
      const [, socket] = outcome;
      if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2') destroyWhenDead(socket, clock);
      callback(...outcome);
    });
}

/**
 * Counts intervals in which nothing was read: the answers of PINGs are bytes like others. What was written does not count:
 * when a connection is reset while Node encrypts what HTTP/2 writes, the session may wait for ever for that write, and
 * neither reads nor writes any more (Node 24.21).
 */
function destroyWhenDead(socket: TLSSocket, clock: Clock): void {
  let before = socket.bytesRead;
  let unanswered = 0;
  const check = (): void => {
    unanswered = socket.bytesRead === before ? unanswered + 1 : 0;
    before = socket.bytesRead;
    if (unanswered < maxUnansweredPings) stop = clock.after(pingInterval, check);
    else socket.destroy(new Error('nothing comes on this connection any more'));
  };
  let stop = clock.after(pingInterval, check);
  socket.once('close', () => stop());
}
