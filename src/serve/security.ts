import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, Counters, Logger } from '../edges.ts';
import { Handshakes } from '../net/tls/handshakes.ts';
import type { ServerCertificate } from '../net/tls/server-certificate.ts';
import { KeyedRateLimiter } from '../rate/keyed-rate-limiter.ts';
import { type Authenticate, createAuthenticator } from './auth/authenticator.ts';
import { authenticateCertificate } from './auth/client-certificate.ts';
import { accountName, type Identity, refused, unauthenticated } from './auth/identity.ts';
import { TokenCache, type VerifyToken } from './auth/token-cache.ts';
import type { DeniedClaim } from './model.ts';
import { AuthenticatedStreams } from './node/authenticated-streams.ts';
import type { Denied, GatewayBindings } from './node/grant.ts';
import type { NodeLog } from './node/node-log.ts';
import type { StreamStatus } from './request/stream-status.ts';
import type { StreamGate } from './transport/http2-server.ts';
import type { ListenerTls } from './transport/listener.ts';

/** TLS on port 9977. */
export interface AdsTls {
  readonly certificate: ServerCertificate;
  /** Whether plaintext is accepted besides, on the same port. */
  readonly plaintext: boolean;
}

/** Who may be a node of which Gateway. */
export interface AdsAuth {
  /** Absent: tokens prove nothing. */
  readonly tokens: { readonly verify: VerifyToken; readonly audience: string } | undefined;
  /** Absent: client certificates prove nothing. */
  readonly certificates: { readonly trustDomain: string } | undefined;
  readonly bindings: GatewayBindings;
  /** Called with each claim that the identity of a node does not allow. */
  readonly denied: (claim: DeniedClaim) => void;
}

/** How connections and streams are secured, and dependencies. */
export interface SecurityParts {
  readonly tls: AdsTls | undefined;
  readonly auth: AdsAuth | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  readonly nodeLog: NodeLog;
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number;
  /** The paths of the methods that serve Gateways. */
  readonly guarded: ReadonlySet<string>;
}

/** What a server without authentication binds: it never asks. */
const noBindings: GatewayBindings = { accountsOf: () => undefined, gatewaysOf: () => [] };

/** Lines about the denied claims of one identity: one a minute. */
const deniedLines = { rate: 1 / 60, burst: 1, maxKeys: 10_000 };

/** TLS and authentication of one server, as its settings say. */
export class Security {
  readonly tls: ListenerTls | undefined;
  readonly bindings: GatewayBindings;
  readonly #parts: SecurityParts;
  readonly #deniedLines: KeyedRateLimiter;
  #streams: AuthenticatedStreams | undefined;
  /** The authorities whose client certificates count now. */
  #authorities: ReadonlySet<string>;

  constructor(parts: SecurityParts) {
    this.#parts = parts;
    const { tls, auth, clock, log, handshakeTimeout: timeout } = parts;
    this.bindings = auth?.bindings ?? noBindings;
    this.#deniedLines = new KeyedRateLimiter(clock, deniedLines);
    this.#authorities = tls?.certificate.current.clientCas ?? new Set();
    if (tls === undefined) return;
    const { certificate, plaintext } = tls;
    const requestCertificate = auth?.certificates !== undefined;
    this.tls = {
      handshakes: new Handshakes({ certificate, clock, log, timeout, protocol: 'h2', requestCertificate }),
      plaintext,
    };
  }

  /** Returns what decides about new streams: the admission, and after it the authentication if somebody is asked. */
  gate(admission: StreamGate): StreamGate {
    const { auth, guarded, counters, nodeLog, log } = this.#parts;
    if (auth === undefined) return admission;
    this.#streams = new AuthenticatedStreams({
      admission,
      authenticate: this.#authenticate(auth),
      guarded,
      refused: (address, { code, message }) => {
        counters.count('gatehouse_xds_streams_ended_total', { code });
        nodeLog.write(address, log, 'warn', 'a stream is refused', { peer: address, code, reason: message });
      },
    });
    return this.#streams;
  }

  /** Call it for each connection on which HTTP/2 has begun. */
  began(session: Http2Session, socket: Socket): void {
    const { certificates } = this.#parts.auth ?? {};
    if (certificates === undefined || !(socket instanceof TLSSocket)) return;
    const { trustDomain } = certificates;
    const authorities = this.tls?.handshakes.materialOf(socket)?.clientCas ?? new Set();
    // The chain is that of the connection: it is read once, for its first stream.
    let read: { readonly proven: ReturnType<typeof authenticateCertificate> } | undefined;
    this.#streams?.began(session, () => {
      read ??= { proven: authenticateCertificate(socket, authorities, trustDomain) };
      const { proven } = read;
      const revoked = proven?.kind === 'authenticated' ? this.revoked(proven.identity) : undefined;
      return revoked === undefined ? proven : refused(revoked.message);
    });
  }

  /** @throws Error for a stream that reached gRPC past the authentication, which is a bug */
  identityOf(stream: object): Identity {
    if (this.#parts.auth === undefined) return unauthenticated;
    const identity = this.#streams?.identityOf(stream);
    if (identity === undefined) throw new Error('a stream was not authenticated');
    return identity;
  }

  /** Returns the status for an identity whose proof counts no more: its key was withdrawn, or its authority taken out. */
  revoked(identity: Identity): StreamStatus | undefined {
    if (identity.kind === 'unauthenticated') return undefined;
    if (identity.proof.by === 'token') return identity.proof.isKeyAccepted() ? undefined : withdrawnKey;
    const accepted = [...identity.proof.authorities].every((authority) => this.#authorities.has(authority));
    return accepted ? undefined : withdrawnAuthority;
  }

  /** Calls `replaced` when the authorities of client certificates may have changed. */
  onAuthoritiesReplaced(replaced: () => void): void {
    const { certificate } = this.#parts.tls ?? {};
    certificate?.onReplaced(() => {
      this.#authorities = certificate.current.clientCas;
      replaced();
    });
  }

  /** Counts, logs and reports a claim that an identity does not allow. */
  denied({ account, gateway, message }: Denied): void {
    const { auth, counters, log } = this.#parts;
    const name = accountName(account);
    counters.count('gatehouse_xds_denied_claims_total');
    if (this.#deniedLines.tryTake(name) === 0)
      log.warn('a node claims a Gateway that is not its own', { account: name, gateway, reason: message });
    auth?.denied({ account: name, gateway, message });
  }

  #authenticate({ tokens, certificates }: AdsAuth): Authenticate {
    const { clock, counters } = this.#parts;
    return createAuthenticator({
      tokens: tokens && {
        cache: new TokenCache({ verify: tokens.verify, clock, counters }),
        audience: tokens.audience,
      },
      certificates: certificates !== undefined,
      clock,
    });
  }
}

const withdrawnKey = {
  code: 'UNAUTHENTICATED',
  message: 'the key of the token is not accepted any more; connect again with a new token',
} as const;

const withdrawnAuthority = {
  code: 'UNAUTHENTICATED',
  message: 'the authority of the client certificate is not accepted any more; connect again with a new certificate',
} as const;
