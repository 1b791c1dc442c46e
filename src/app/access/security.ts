import type { Clock, Counters, Logger, StopAsync } from '../../edges.ts';
import type { KubeConnection } from '../../kube/model.ts';
import type { RequestGuard } from '../../net/guard/request-guard.ts';
import { isLoopback } from '../../net/loopback.ts';
import { CertificateError } from '../../net/tls/pem.ts';
import { ServerCertificate } from '../../net/tls/server-certificate.ts';
import type { DeniedClaim } from '../../serve/model.ts';
import { type AdsAuth, type AdsTls, accountOfUser, loadKeySetVerifier, type VerifyToken } from '../../serve/serve.ts';
import { EnvironmentError } from '../errors.ts';
import type { ServeSettings, TokenSettings } from '../settings.ts';
import { Bindings } from './gateway-bindings.ts';
import { openKeySet } from './key-set-source.ts';

type SecuritySettings = Pick<ServeSettings, 'xdsTls' | 'xdsAuth' | 'debugAuth' | 'xdsListen'>;

/** What access control asks and reports to. */
export interface SecurityParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** The API server that tokens are reviewed by; undefined when resources come from files. */
  readonly connection: KubeConnection | undefined;
  readonly denied: (claim: DeniedClaim) => void;
}

/** What guards the listeners for operators outside of loopback. */
interface OperatorSecurity {
  readonly certificate: ServerCertificate;
  readonly guard: RequestGuard;
}

/** How the listeners are secured. */
export interface Security {
  readonly tls: AdsTls | undefined;
  readonly auth: AdsAuth | undefined;
  /** Undefined when nobody is asked who he is. */
  readonly bindings: Bindings | undefined;
  /** Undefined: whoever reaches the debug, metrics and admin listeners is answered. */
  readonly operators: OperatorSecurity | undefined;
  readonly stop: StopAsync;
}

/**
 * Reads what the settings name. Logs a warning about what they leave open.
 *
 * @throws EnvironmentError when a certificate or a key set cannot be used
 */
export async function openSecurity(settings: SecuritySettings, parts: SecurityParts): Promise<Security> {
  const { xdsTls, xdsAuth, debugAuth } = settings;
  warn(settings, parts.log);
  const certificate = xdsTls.mode === 'off' ? undefined : await openCertificate(xdsTls, parts);
  const operators = debugAuth.kind === 'none' ? undefined : await openOperators(debugAuth, certificate, parts);
  const tokens = xdsAuth.kind === 'none' ? undefined : xdsAuth.tokens && (await openTokens(xdsAuth.tokens, parts));
  const bindings = xdsAuth.kind === 'none' ? undefined : new Bindings();
  const certificates = xdsAuth.kind === 'none' ? undefined : xdsAuth.certificates;
  return {
    tls: certificate && { certificate, plaintext: xdsTls.mode === 'either' },
    auth: bindings && { tokens, certificates, bindings, denied: parts.denied },
    bindings,
    operators,
    stop: async () => {
      certificate?.stop();
      operators?.certificate.stop();
      tokens?.stop();
    },
  };
}

/** @param shared the certificate of the port of the gateways, which is the same if there is one */
async function openOperators(
  settings: Extract<ServeSettings['debugAuth'], { readonly kind: 'token' }>,
  shared: ServerCertificate | undefined,
  parts: SecurityParts,
): Promise<OperatorSecurity> {
  const { connection, clock } = parts;
  if (connection === undefined) throw new EnvironmentError('--debug-auth=token needs a cluster');
  const { OperatorAccess } = await import('./operator-access.ts');
  const { guard } = new OperatorAccess(connection, clock);
  return { certificate: shared ?? (await openCertificate(settings, parts)), guard };
}

function warn({ xdsTls, xdsAuth, xdsListen }: SecuritySettings, log: Logger): void {
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
  { files, minVersion }: Omit<Exclude<ServeSettings['xdsTls'], { readonly mode: 'off' }>, 'mode'>,
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
    const { createKeySetVerifier } = await loadKeySetVerifier();
    const verify = createKeySetVerifier(source.keys, { issuer: keys.issuer, audience, clock: parts.clock });
    return { verify, audience, stop: source.stop };
  }
  const { connection } = parts;
  if (connection === undefined) throw new EnvironmentError('--xds-auth=token needs a cluster, or --xds-auth-jwks');
  const { reviewToken } = await import('../../kube/kube.ts');
  const verify: VerifyToken = async (token, signal) => {
    const review = await reviewToken(connection, { token, audience, signal });
    if (review.kind === 'unavailable') return review;
    if (review.kind === 'refused') return { kind: 'invalid', message: review.message };
    const account = accountOfUser(review.user.username);
    return account === undefined
      ? { kind: 'invalid', message: 'it is not the token of a ServiceAccount' }
      : { kind: 'valid', account, isKeyAccepted: () => true };
  };
  return { verify, audience, stop: () => {} };
}
