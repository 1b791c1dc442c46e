import type { Clock, Counters, Logger, StopAsync } from '../edges.ts';
import type { KubeConnection } from '../kube/model.ts';
import { isLoopback } from '../net/loopback.ts';
import { CertificateError } from '../net/tls/pem.ts';
import { ServerCertificate } from '../net/tls/server-certificate.ts';
import type { DeniedClaim } from '../serve/model.ts';
import { type AdsAuth, type AdsTls, accountOfUser, createKeySetVerifier, type VerifyToken } from '../serve/serve.ts';
import { EnvironmentError } from './errors.ts';
import { Bindings } from './gateway-bindings.ts';
import { openKeySet } from './key-set-source.ts';
import type { ServeSettings, TokenSettings } from './settings.ts';

export interface SecurityParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** The API server that tokens are reviewed by; undefined when resources come from files. */
  readonly connection: KubeConnection | undefined;
  readonly denied: (claim: DeniedClaim) => void;
}

/** How the port of the gateways is secured. */
export interface Security {
  readonly tls: AdsTls | undefined;
  readonly auth: AdsAuth | undefined;
  /** Undefined when nobody is asked who he is. */
  readonly bindings: Bindings | undefined;
  readonly stop: StopAsync;
}

/**
 * Reads what the settings name. Logs a warning about what they leave open.
 *
 * @throws EnvironmentError when a certificate or a key set cannot be used
 */
export async function openSecurity(settings: ServeSettings, parts: SecurityParts): Promise<Security> {
  const { xdsTls, xdsAuth } = settings;
  const certificate = xdsTls.mode === 'off' ? undefined : await openCertificate(xdsTls, parts);
  warn(settings, parts.log);
  const tls = certificate && { certificate, plaintext: xdsTls.mode === 'either' };
  if (xdsAuth.kind === 'none')
    return { tls, auth: undefined, bindings: undefined, stop: async () => certificate?.stop() };
  const bindings = new Bindings();
  const tokens = xdsAuth.tokens && (await openTokens(xdsAuth.tokens, parts));
  const { certificates } = xdsAuth;
  return {
    tls,
    auth: { tokens, certificates, bindings, denied: parts.denied },
    bindings,
    stop: async () => {
      certificate?.stop();
      tokens?.stop();
    },
  };
}

function warn({ xdsTls, xdsAuth, xdsListen }: ServeSettings, log: Logger): void {
  if (isLoopback(xdsListen.host)) return;
  const remedy = 'see SECURITY.md: --xds-auth, --xds-tls and the NetworkPolicy in deploy/';
  if (xdsAuth.kind === 'none') {
    log.warn('whoever reaches the port of the gateways reads the rules of any Gateway', { 'xds-auth': 'none', remedy });
  }
  if (xdsTls.mode === 'on') return;
  const message =
    xdsAuth.kind === 'none'
      ? 'gateways may connect in plaintext: whoever is on the way reads and changes what they get'
      : 'gateways may connect in plaintext: whoever is on the way reads and changes what they get, and takes their tokens';
  log.warn(message, { 'xds-tls': xdsTls.mode, remedy });
}

async function openCertificate(
  { files, minVersion }: Exclude<ServeSettings['xdsTls'], { readonly mode: 'off' }>,
  parts: SecurityParts,
): Promise<ServerCertificate> {
  try {
    return await ServerCertificate.open(files, { ...parts, minVersion });
  } catch (error) {
    throw error instanceof CertificateError ? new EnvironmentError(error.message, { cause: error }) : error;
  }
}

async function openTokens(
  { audience, keys }: TokenSettings,
  parts: SecurityParts,
): Promise<{ readonly verify: VerifyToken; readonly audience: string; readonly stop: () => void }> {
  if (keys !== undefined) {
    const source = await openKeySet(keys.location, parts);
    const verify = createKeySetVerifier(source.keys, { issuer: keys.issuer, audience, clock: parts.clock });
    return { verify, audience, stop: source.stop };
  }
  const { connection } = parts;
  if (connection === undefined) throw new EnvironmentError('--xds-auth=token needs a cluster, or --xds-auth-jwks');
  const { reviewToken } = await import('../kube/kube.ts');
  const verify: VerifyToken = async (token, signal) => {
    const review = await reviewToken(connection, { token, audience, signal });
    if (review.kind === 'unavailable') return review;
    if (review.kind === 'refused') return { kind: 'invalid', message: review.message };
    const account = accountOfUser(review.user.username);
    return account === undefined
      ? { kind: 'invalid', message: 'it is not the token of a ServiceAccount' }
      : { kind: 'valid', account };
  };
  return { verify, audience, stop: () => {} };
}
