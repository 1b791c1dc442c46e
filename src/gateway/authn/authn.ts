import { decodeJwt, decodeProtectedHeader } from 'jose';
import { shortened } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
import { parseBearer } from '../../net/guard/bearer-token.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { JwtAuthnConfig } from '../config/model.ts';
import type { Authentication } from '../model.ts';
import { createRefusals } from './bearer.ts';
import type { JwtAuthenticator } from './model.ts';
import { describeResource } from './protected-resource.ts';
import { type AuthnParts, createTokenVerifier, type TokenVerifier } from './token-verifier.ts';

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
  const { clock, log } = parts;
  const issuers = await openIssuers(config, parts);
  const resource = config.resource === undefined ? undefined : describeResource(config.resource);
  const refusals = createRefusals(resource);
  const throttle = new LogThrottle(clock, log);

  const refuse = (token: string, code: string, message: string, keysName?: string): Authentication => {
    const fields = { code, ...namesIn(token) };
    log.debug('a token was refused', fields);
    if (keysName !== undefined) {
      const unfit = { reason: code, message: `tokens were refused that no key of ${keysName} fits`, fields };
      throttle.failed(`key ${keysName}`, unfit);
    } else if (throttle.admit(`code ${code}`, code)) {
      log.info('tokens were refused; this is one of them', fields);
    }
    return refusals.invalid(code, message);
  };
  /** Most clients begin without a token, and learn by the answer where to get one. */
  const missing = (authorization: string | undefined): Authentication => {
    const code = authorization === undefined ? 'no token' : 'no bearer token';
    log.debug('a request without a token was refused', { code });
    if (throttle.admit(`code ${code}`, code))
      log.info('requests without a token were refused; this is one of them', { code });
    return refusals.missing();
  };
  const authenticateToken = async (token: string): Promise<Authentication> => {
    const verifier = issuers.verifierOf(token);
    if (verifier === undefined) {
      return refuse(token, 'ERR_UNKNOWN_ISSUER', 'The claim iss is missing or not what this gateway accepts');
    }
    const check = await verifier.check(token);
    if (check.kind === 'caller') return check;
    if (check.kind === 'no keys') return refusals.keysUnavailable();
    return refuse(token, check.code, check.message, check.keyMissing ? verifier.keys.name : undefined);
  };

  return {
    document: resource,
    insufficientScope: refusals.insufficientScope,
    expired: refusals.expired,
    async authenticate(authorization) {
      const bearer = parseBearer(authorization);
      if (bearer.kind === 'none') return missing(authorization);
      if (bearer.kind === 'malformed') return refuse('', 'malformed', 'The token cannot be read');
      try {
        return await authenticateToken(bearer.token);
      } catch (error) {
        const reason = reasonOf(error);
        if (throttle.admit('token', reason)) log.error('a token could not be looked at', { error: reason });
        return refusals.keysUnavailable();
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

/** The verifiers of a configuration. */
interface Issuers {
  readonly verifiers: readonly TokenVerifier[];
  /** Finds the verifier by what the token says of its issuer, which the verifier then checks. */
  verifierOf(token: string): TokenVerifier | undefined;
}

/** Each verifier accepts the tokens of its own issuer alone, so that no issuer can sign for another one. */
async function openIssuers({ jwks, ...expected }: JwtAuthnConfig, parts: AuthnParts): Promise<Issuers> {
  if (jwks.kind !== 'by issuer') {
    const verifier = await createTokenVerifier(jwks, expected, parts);
    return { verifiers: [verifier], verifierOf: () => verifier };
  }
  const verifiers = new Map<string, TokenVerifier>();
  for (const [issuer, source] of jwks.sources) {
    verifiers.set(issuer, await createTokenVerifier(source, { ...expected, issuers: [issuer] }, parts));
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
