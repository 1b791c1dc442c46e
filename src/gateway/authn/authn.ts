import { decodeJwt, decodeProtectedHeader } from 'jose';
import { shortened } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
import { parseBearer } from '../../net/guard/bearer-token.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { JwtAuthnConfig } from '../config/model.ts';
import type { Authentication, McpPath } from '../model.ts';
import { createRefusals, type Refusals } from './bearer.ts';
import type { JwtAuthenticator } from './model.ts';
import { describeResource } from './protected-resource.ts';
import { type AuthnParts, createTokenVerifier, KeyWaits, type TokenVerifier } from './token-verifier.ts';

/**
 * Creates the authenticator of a configuration. Keys from a file or from the configuration must be usable at once; a
 * token waits for remote keys.
 *
 * Logs refusals with a fixed code, and those of tokens with issuer and key id, which is all that is ever logged of a
 * token: each at `debug`, and one of each code in ten minutes at `info`. Of tokens that no key fits, which may be a
 * rotation that was missed, that one is a warning.
 *
 * @throws GatewayError when the file or the configuration contains no usable key
 */
export async function createAuthenticator(config: JwtAuthnConfig, parts: AuthnParts): Promise<JwtAuthenticator> {
  const issuers = await openIssuers(config, parts);
  const resource = config.resource === undefined ? undefined : describeResource(config.resource);
  const refusals: Readonly<Record<McpPath, Refusals>> = {
    '/mcp': createRefusals(resource?.challenges['/mcp']),
    '/sse': createRefusals(resource?.challenges['/sse']),
  };
  const lines = createRefusalLog(parts);

  const authenticateToken = async (token: string, { invalid, keysUnavailable }: Refusals): Promise<Authentication> => {
    const verifier = issuers.verifierOf(token);
    if (verifier === undefined) {
      lines.refused(token, unknownIssuer);
      return invalid(unknownIssuer.code, unknownIssuer.message);
    }
    const check = await verifier.check(token);
    if (check.kind === 'caller') return check;
    if (check.kind === 'no keys') return keysUnavailable();
    lines.refused(token, check, check.keyMissing ? verifier.keys.name : undefined);
    return invalid(check.code, check.message);
  };

  return {
    documents: resource?.documents,
    insufficientScope:
      resource === undefined ? undefined : (scope, path) => refusals[path].insufficientScope?.(scope) ?? '',
    expired: (path) => refusals[path].expired,
    async authenticate(authorization, path = '/mcp') {
      const own = refusals[path];
      const bearer = parseBearer(authorization);
      if (bearer.kind === 'none') {
        lines.missing(authorization);
        return own.missing();
      }
      if (bearer.kind === 'malformed') {
        lines.refused('', malformed);
        return own.invalid(malformed.code, malformed.message);
      }
      try {
        return await authenticateToken(bearer.token, own);
      } catch (error) {
        lines.failed(error);
        return own.keysUnavailable();
      }
    },
    status: () => ({
      issuers: config.issuers,
      audiences: config.audiences,
      source: issuers.verifiers.map(({ keys }) => keys.name).join(', '),
      keys: idsOf(issuers.verifiers),
    }),
    stop() {
      for (const { keys } of issuers.verifiers) keys.stop();
    },
  };
}

const unknownIssuer = {
  code: 'ERR_UNKNOWN_ISSUER',
  message: 'The claim iss is missing or not what this gateway accepts',
} as const;

const malformed = { code: 'malformed', message: 'The token cannot be read' } as const;

/** The lines about requests without a caller. */
function createRefusalLog({ clock, log }: AuthnParts) {
  const throttle = new LogThrottle(clock, log);
  return {
    /** Most clients begin without a token, and learn by the answer where to get one. */
    missing(authorization: string | undefined): void {
      const code = authorization === undefined ? 'no token' : 'no bearer token';
      log.debug('a request without a token was refused', { code });
      if (throttle.admit(`code ${code}`, code))
        log.info('requests without a token were refused; this is one of them', { code });
    },
    /**
     * A line for each reason: their number is that of the claims that are looked at.
     *
     * @param keysName those of which none fits
     */
    refused(token: string, { code, message: reason }: { code: string; message: string }, keysName?: string): void {
      const fields = { code, reason, ...namesIn(token) };
      log.debug('a token was refused', fields);
      if (keysName !== undefined) {
        const unfit = { reason: code, message: `tokens were refused that no key of ${keysName} fits`, fields };
        throttle.failed(`key ${code} ${keysName}`, unfit);
      } else if (throttle.admit(`code ${code} ${reason}`, code)) {
        log.info('tokens were refused; this is one of them', fields);
      }
    },
    failed(error: unknown): void {
      const reason = reasonOf(error);
      if (throttle.admit('token', reason)) log.error('a token could not be looked at', { error: reason });
    },
  };
}

/** The verifiers of a configuration. */
interface Issuers {
  readonly verifiers: readonly TokenVerifier[];
  /** Finds the verifier by what the token says of its issuer, which the verifier then checks. */
  verifierOf(token: string): TokenVerifier | undefined;
}

/** Each verifier accepts the tokens of its own issuer alone, so that no issuer can sign for another one. */
async function openIssuers({ jwks, ...expected }: JwtAuthnConfig, parts: AuthnParts): Promise<Issuers> {
  const waits = new KeyWaits();
  if (jwks.kind !== 'by issuer') {
    const verifier = await createTokenVerifier(jwks, expected, parts, waits);
    return { verifiers: [verifier], verifierOf: () => verifier };
  }
  const verifiers = new Map<string, TokenVerifier>();
  for (const [issuer, source] of jwks.sources) {
    verifiers.set(issuer, await createTokenVerifier(source, { ...expected, issuers: [issuer] }, parts, waits));
  }
  return {
    verifiers: [...verifiers.values()],
    verifierOf: (token) => verifiers.get(claimedIssuer(token) ?? ''),
  };
}

function claimedIssuer(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** Who says to have signed a token, and with which key: what an operator needs to find the reason. */
function namesIn(token: string): { readonly issuer?: string; readonly kid?: string } {
  const issuer = claimedIssuer(token);
  return { ...(issuer !== undefined && { issuer: shortened(issuer) }), ...keyIdIn(token) };
}

function keyIdIn(token: string): { readonly kid?: string } {
  try {
    const { kid } = decodeProtectedHeader(token);
    return typeof kid === 'string' ? { kid: shortened(kid) } : {};
  } catch {
    return {};
  }
}

function idsOf(verifiers: readonly TokenVerifier[]): readonly (string | null)[] | undefined {
  const sets = verifiers.flatMap(({ keys }) => keys.current ?? []);
  return sets.length === 0 ? undefined : sets.flatMap(({ kids }) => kids);
}
