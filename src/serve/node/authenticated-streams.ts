import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Authenticate } from '../auth/authenticator.ts';
import type { Authentication, Identity } from '../auth/identity.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { refuseStream } from '../transport/calls.ts';
import { type Http2Failure, type RawHeaders, type StreamGate, valuesOf } from '../transport/http2-server.ts';

/** What is asked of streams, before and after their admission. */
export interface AuthenticatedStreamsParts {
  /** Admits streams at a rate and in number, before anybody spends time on who they are. */
  readonly admission: StreamGate;
  readonly authenticate: Authenticate;
  /** The paths of the methods that demand an identity; others, such as health, are for everybody. */
  readonly guarded: ReadonlySet<string>;
  /** Called with each stream that is refused. */
  readonly refused: (address: string, status: StreamStatus) => void;
}

/**
 * Authenticates streams after they were admitted and before gRPC sees them. A stream waits here for as long as its token
 * is verified, and is one of the open streams meanwhile; nothing of it is read.
 */
export class AuthenticatedStreams implements StreamGate {
  readonly #parts: AuthenticatedStreamsParts;
  readonly #identities = new WeakMap<object, Identity>();
  readonly #certificates = new WeakMap<Http2Session, () => Authentication | undefined>();

  constructor(parts: AuthenticatedStreamsParts) {
    this.#parts = parts;
  }

  /** Call it for each connection with what its client certificate proves. */
  began(session: Http2Session, certificate: () => Authentication | undefined): void {
    this.#certificates.set(session, certificate);
  }

  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, start: () => void, rawHeaders: RawHeaders): void {
    const { admission, guarded } = this.#parts;
    const begin = guarded.has(headers[':path'] ?? '') ? () => this.#authenticate(stream, start, rawHeaders) : start;
    admission.admit(stream, headers, begin, rawHeaders);
  }

  cutOff(stream: ServerHttp2Stream): void {
    this.#parts.admission.cutOff(stream);
  }

  failed(session: Http2Session, reason: Http2Failure, error: Error): void {
    this.#parts.admission.failed(session, reason, error);
  }

  /** Returns the identity of a stream; undefined for one that was not authenticated here. */
  identityOf(stream: object): Identity | undefined {
    return this.#identities.get(stream);
  }

  #authenticate(stream: ServerHttp2Stream, start: () => void, rawHeaders: RawHeaders): void {
    const { session } = stream;
    const authentication = this.#parts.authenticate({
      authorization: valuesOf('authorization', rawHeaders),
      certificate: () => session && this.#certificates.get(session)?.(),
      address: session?.socket.remoteAddress ?? '',
    });
    if (authentication instanceof Promise) {
      void authentication.then((settled) => this.#settle(stream, start, settled));
    } else {
      this.#settle(stream, start, authentication);
    }
  }

  #settle(stream: ServerHttp2Stream, start: () => void, authentication: Authentication): void {
    if (authentication.kind === 'refused') {
      const { code, message } = authentication;
      this.#parts.refused(stream.session?.socket.remoteAddress ?? '', { code, message });
      // Percent-encoded, as gRPC does: a message may repeat what is in a certificate.
      refuseStream(stream, { code, message: encodeURI(message) });
      return;
    }
    this.#identities.set(stream, authentication.identity);
    start();
  }
}
