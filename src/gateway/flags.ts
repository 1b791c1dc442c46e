import { type Mounts, parseMounts } from './config/mounts.ts';
import { GatewayError } from './errors.ts';
import type { GatewayOptions } from './model.ts';
import { type Endpoint, parseEndpoint, parseResolutions, type Resolutions } from './network/resolve.ts';

/** The flags that are more than a word, understood. */
export interface ReadFlags {
  readonly mounts: Mounts;
  readonly resolutions: Resolutions;
  readonly adminListen: Endpoint;
}

/**
 * Reads what was given on the command line.
 *
 * @throws GatewayError naming the flag
 */
export function readFlags({ mount, resolve, adminListen, allowedOrigins }: GatewayOptions): ReadFlags {
  const admin = parseEndpoint(adminListen);
  if (admin === undefined)
    throw new GatewayError('usage', `--admin-listen=${adminListen}: write host:port, such as 127.0.0.1:19000`);
  for (const origin of allowedOrigins) {
    if (URL.parse(origin)?.origin !== origin) {
      throw new GatewayError(
        'usage',
        `allowed origin ${JSON.stringify(origin)}: write it as browsers do, such as https://app.example`,
      );
    }
  }
  return { mounts: parseMounts(mount), resolutions: parseResolutions(resolve), adminListen: admin };
}
