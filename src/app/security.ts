import type { Clock, Counters, Logger, StopAsync } from '../edges.ts';
import { isLoopback } from '../net/loopback.ts';
import { CertificateError } from '../net/tls/pem.ts';
import { ServerCertificate } from '../net/tls/server-certificate.ts';
import type { AdsTls } from '../serve/serve.ts';
import { EnvironmentError } from './errors.ts';
import type { ServeSettings } from './settings.ts';

export interface SecurityParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
}

/** How the port of the gateways is secured. */
export interface Security {
  readonly tls: AdsTls | undefined;
  readonly stop: StopAsync;
}

/**
 * Reads what the settings name. Logs a warning about what they leave open.
 *
 * @throws EnvironmentError when a certificate cannot be used
 */
export async function openSecurity({ xdsTls, xdsListen }: ServeSettings, parts: SecurityParts): Promise<Security> {
  const certificate = xdsTls.mode === 'off' ? undefined : await openCertificate(xdsTls, parts);
  if (!isLoopback(xdsListen.host)) {
    const remedy = 'see SECURITY.md: --xds-tls and the NetworkPolicy in deploy/';
    if (xdsTls.mode !== 'on') {
      parts.log.warn('gateways may connect in plaintext: whoever is on the way reads and changes what they get', {
        'xds-tls': xdsTls.mode,
        remedy,
      });
    }
  }
  return {
    tls: certificate && { certificate, plaintext: xdsTls.mode === 'either' },
    stop: async () => certificate?.stop(),
  };
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
