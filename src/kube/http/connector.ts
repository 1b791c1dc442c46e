import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { Clock } from '../../edges.ts';
import type { TlsMaterial } from '../credentials.ts';

/** How long a connection may take until it stands, in milliseconds. */
export const CONNECT_LIMIT = 30_000;

/** Every so many milliseconds an HTTP/2 connection asks the server for a sign of life (PING). */
export const PING_INTERVAL = 15_000;

/** So many intervals in a row without an answer, and the connection is dead: 45 seconds, as client-go's 30 and 15. */
const SILENT_INTERVALS = 3;

/**
 * How connections are made, directly or through a proxy. TCP's own probes notice a dead HTTP/1.1 connection, and an
 * HTTP/2 one while nothing is under way; as soon as something is, they rest, and PINGs have to do it.
 */
export function connectOptions(tls: TlsMaterial, allowH2: boolean): buildConnector.BuildOptions {
  // 30 s as client-go's: undici's default of 60 s is also that of some load balancers, which then forget silently.
  return {
    ...tls,
    allowH2,
    preferH2: allowH2,
    timeout: CONNECT_LIMIT,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
}

/** Opens connections, and ends HTTP/2 ones that turn out to be dead. */
export function createConnector(options: buildConnector.BuildOptions, clock: Clock): buildConnector.connector {
  const open = buildConnector(options);
  return (where, callback) =>
    open(where, (...outcome) => {
      const [, socket] = outcome;
      if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2') endWhenSilent(socket, clock);
      callback(...outcome);
    });
}

/** What the connection is for does not matter: PINGs and their answers are bytes like others. */
function endWhenSilent(socket: TLSSocket, clock: Clock): void {
  let before = { read: socket.bytesRead, written: socket.bytesWritten };
  let silent = 0;
  const look = (): void => {
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    if (now.read !== before.read) silent = 0;
    else if (now.written !== before.written) silent++;
    before = now;
    if (silent < SILENT_INTERVALS) stop = clock.after(PING_INTERVAL, look);
    else socket.destroy(new Error('nothing comes on this connection any more'));
  };
  let stop = clock.after(PING_INTERVAL, look);
  socket.once('close', () => stop());
}
