import { quoted } from '../json/quoted.ts';
import { type HostPort, parseHostPort } from '../net/host-port.ts';
import { type Mounts, parseMounts } from './config/mounts.ts';
import { GatewayError } from './errors.ts';
import type { GatewayOptions } from './model.ts';
import { parseResolutions, type Resolutions } from './network/resolve.ts';

/** The flags whose text has a syntax of its own, parsed. */
export interface ParsedFlags {
  readonly mounts: Mounts;
  readonly resolutions: Resolutions;
  readonly adminListen: HostPort;
}

/**
 * Parses `--mount`, `--resolve` and `--admin-listen`, and validates the allowed origins.
 *
 * @throws GatewayError that names the flag
 */
export function parseFlags({ mount, resolve, adminListen, allowedOrigins }: GatewayOptions): ParsedFlags {
  const admin = parseHostPort(adminListen);
  if (admin === undefined)
    throw new GatewayError('usage', `--admin-listen=${adminListen}: write host:port, such as 127.0.0.1:19000`);
  for (const origin of allowedOrigins) {
    if (URL.parse(origin)?.origin !== origin) {
      throw new GatewayError(
        'usage',
        `allowed origin ${quoted(origin)}: write it as browsers do, such as https://app.example`,
      );
    }
  }
  return { mounts: parseMounts(mount), resolutions: parseResolutions(resolve), adminListen: admin };
}
