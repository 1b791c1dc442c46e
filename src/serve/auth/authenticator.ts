import type { Clock } from '../../edges.ts';
import { type Authentication, refused } from './identity.ts';
import type { TokenCache, Verification } from './token-cache.ts';
import { readToken } from './token-claims.ts';

/** What authentication looks at: a stream and the connection below it. */
interface Credentials {
  /** Every value of the request header `authorization`. */
  readonly authorization: readonly string[];
  /** The identity that the client certificate of the connection proves; undefined without a certificate. */
  readonly certificate: () => Authentication | undefined;
  /** The address of the client. */
  readonly address: string;
}

/** Says who a stream belongs to. It may be a promise only if a token has to be verified. */
export type Authenticate = (credentials: Credentials) => Authentication | Promise<Authentication>;

/** The proofs that count. */
export interface AuthenticatorParts {
  /** Absent: tokens prove nothing. */
  readonly tokens: { readonly cache: TokenCache; readonly audience: string } | undefined;
  /** Whether client certificates prove an identity. */
  readonly certificates: boolean;
  readonly clock: Clock;
}

/**
 * Demands a proof: a token, or a client certificate. The token decides if there is one: a bad one is refused although a
 * good certificate stands beside it, since nothing says which of the two the client means.
 */
export function createAuthenticator({ tokens, certificates, clock }: AuthenticatorParts): Authenticate {
  return (credentials) => {
    if (tokens !== undefined && credentials.authorization.length > 0) {
      return authenticateToken(tokens, credentials, clock);
    }
    const certified = certificates ? credentials.certificate() : undefined;
    if (certified === undefined) return refused(missing(tokens?.audience, certificates));
    return unlessExpired(certified, clock.now());
  };
}

function authenticateToken(
  { cache, audience }: NonNullable<AuthenticatorParts['tokens']>,
  { authorization, address }: Credentials,
  clock: Clock,
): Authentication | Promise<Authentication> {
  const reading = readToken(authorization);
  if (reading.kind !== 'token') return refused(reading.kind === 'absent' ? missing(audience, false) : reading.problem);
  const { token, expires, audiences } = reading;
  if (expires <= clock.now()) return refused('the token has expired; read its file again before each stream');
  if (!audiences.includes(audience)) return refused(`the token is not for the audience ${audience}`);
  const authenticated = (verified: Verification): Authentication => {
    if (verified.kind === 'valid') {
      const { account, isKeyAccepted } = verified;
      const identity = { kind: 'service-account', account, proof: { by: 'token', isKeyAccepted }, expires } as const;
      return unlessExpired({ kind: 'authenticated', identity }, clock.now());
    }
    if (verified.kind === 'invalid') return refused(`the token is not accepted: ${verified.message}`);
    const message = `the token cannot be verified now, come back later: ${verified.message}`;
    return { kind: 'refused', code: 'UNAVAILABLE', message };
  };
  const verified = cache.verify(token, expires, address);
  return verified instanceof Promise ? verified.then(authenticated) : authenticated(verified);
}

function unlessExpired(authentication: Authentication, now: number): Authentication {
  const { kind } = authentication;
  if (kind === 'refused' || authentication.identity.kind === 'unauthenticated') return authentication;
  return authentication.identity.expires > now ? authentication : refused('the credential has expired');
}

function missing(audience: string | undefined, certificates: boolean): string {
  const ways = [
    ...(audience === undefined
      ? []
      : [`a token of its ServiceAccount for the audience ${audience} (authorization: Bearer …)`]),
    ...(certificates ? ['a client certificate'] : []),
  ];
  return `a node of this server shows ${ways.join(' or ')}`;
}
