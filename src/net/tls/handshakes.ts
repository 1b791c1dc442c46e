import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock, Logger } from '../../edges.ts';
import { Quota } from '../../rate/quota.ts';
import { RecordLimit } from './record-limit.ts';
import type { ServerCertificate, TlsMaterial } from './server-certificate.ts';

/**
 * Handshakes under way at once, three quarters of them of one address. Each takes about 60 KiB until it is completed, and
 * one whose client stops in the middle takes them until its timeout.
 */
const maxHandshakes = 2_000;

/** Longer than any timeout of ours, which stop the handshake before Node does. */
const never = 2 ** 31 - 1;

/** Settings and dependencies of handshakes. */
export interface HandshakesParts {
  readonly certificate: ServerCertificate;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds for the whole handshake. */
  readonly timeout: number;
  /** The one protocol that is offered (ALPN, RFC 7301); a client that does not name it is refused. */
  readonly protocol: 'h2' | 'http/1.1';
  /** Whether clients are asked for a certificate. What they send is not judged here: see `authorized` of the socket. */
  readonly requestCertificate: boolean;
}

/** Why a handshake did not succeed; `left`: the client closed the connection before its end. */
type HandshakeLoss = 'failed' | 'timeout' | 'refused' | 'left';

/** Calls one of the first two, once. */
export interface HandshakeListener {
  secured(socket: TLSSocket): void;
  failed(loss: HandshakeLoss): void;
  /** Called with a secured connection that floods TLS with records that carry next to nothing. */
  flooded(): void;
}

/** Begins TLS on connections that were accepted already, with the newest certificate. */
export class Handshakes {
  readonly #parts: HandshakesParts;
  readonly #server: Server;
  readonly #quota = new Quota(maxHandshakes);
  readonly #records: RecordLimit;
  readonly #materials = new WeakMap<Socket, TlsMaterial>();
  /** Node tells of the end of a handshake with a new socket, which has the addresses of the old one. */
  readonly #pending = new Map<string, { readonly secured: (socket: TLSSocket) => void; readonly failed: () => void }>();

  constructor(parts: HandshakesParts) {
    this.#parts = parts;
    this.#records = new RecordLimit(parts.clock, parts.log);
    const { certificate, protocol, requestCertificate: requestCert } = parts;
    const { context } = certificate.current;
    this.#server = createServer({
      ...context,
      requestCert,
      rejectUnauthorized: false,
      ALPNProtocols: [protocol],
      handshakeTimeout: never,
    });
    certificate.onReplaced(() => this.#server.setSecureContext(certificate.current.context));
    this.#server.on('secureConnection', (socket) => this.#pending.get(endsOf(socket))?.secured(socket));
    this.#server.on('tlsClientError', (_error, socket) => {
      this.#pending.get(endsOf(socket))?.failed();
      socket.destroy();
    });
  }

  /** Returns what the handshake of a connection was made with: files may have changed since. */
  materialOf(secure: Socket): TlsMaterial | undefined {
    return this.#materials.get(secure);
  }

  /** Begins a handshake, with what was put back into the buffer of the socket. */
  begin(socket: Socket, listener: HandshakeListener): void {
    const address = socket.remoteAddress ?? '';
    if (!this.#quota.acquire(address)) {
      listener.failed('refused');
      return;
    }
    const ends = endsOf(socket);
    const material = this.#parts.certificate.current;
    const { clock, timeout, protocol } = this.#parts;
    const stopTimer = clock.after(timeout, () => settle(() => listener.failed('timeout')));
    let open = true;
    const settle = (report: () => void): void => {
      if (!open) return;
      open = false;
      stopTimer();
      this.#pending.delete(ends);
      this.#quota.release(address);
      report();
    };
    this.#pending.set(ends, {
      secured: (secure) =>
        settle(() => {
          this.#materials.set(secure, material);
          // ALPN is for HTTP/2: clients of HTTP/1.1 alone need not name it.
          const unnamed = protocol === 'http/1.1' && secure.alpnProtocol === false;
          if (secure.alpnProtocol !== protocol && !unnamed) {
            listener.failed('failed');
            return;
          }
          this.#records.watch(socket, secure, () => listener.flooded());
          listener.secured(secure);
        }),
      failed: () => settle(() => listener.failed('failed')),
    });
    socket.once('close', () => settle(() => listener.failed('left')));
    // Documented for connections that were accepted elsewhere.
    this.#server.emit('connection', socket);
  }
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
