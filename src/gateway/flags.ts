import { quoted } from '../json/quoted.ts';
import { type HostPort, parseHostPort } from '../net/host-port.ts';
import { type Mounts, parseMounts } from './config/mounts.ts';
import { GatewayError } from './errors.ts';
import type { GatewayOptions } from './model.ts';
import { parseResolutions, type Resolutions } from './network/resolve.ts';

/** The flags whose text has a syntax of its own. */
type TextFlags = Pick<GatewayOptions, 'mount' | 'resolve' | 'adminListen' | 'allowedOrigins' | 'allowedHosts'>;

/** The same flags, parsed. */
export interface ParsedFlags {
  readonly mounts: Mounts;
  readonly resolutions: Resolutions;
  readonly adminListen: HostPort;
}

/**
 * Parses `--mount`, `--resolve` and `--admin-listen`, and validates the allowed origins and hosts.
 *
 * @throws GatewayError that names the flag
 */
export function parseFlags({ mount, resolve, adminListen, allowedOrigins, allowedHosts }: TextFlags): ParsedFlags {
  const admin = parseHostPort(adminListen);
  if (admin === undefined)
    throw new GatewayError('usage', `--admin-listen=${adminListen}: write host:port, such as 127.0.0.1:19000`);
  for (const origin of allowedOrigins) {
    if (!isOrigin(origin)) {
      throw new GatewayError(
        'usage',
        `allowed origin ${quoted(origin)}: write it as browsers do, in lower case and without a path, ` +
          'such as https://app.example or chrome-extension://<id>',
      );
    }
  }
  for (const host of allowedHosts) {
    // A DNS name or an IPv4 address, or an IPv6 address in brackets, as clients write them into the header.
    if (/^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/.test(host)) continue;
    const how = 'write a host name in lower case, without scheme and port, such as gateway.example';
    throw new GatewayError('usage', `allowed host ${quoted(host)}: ${how}`);
  }
  return { mounts: parseMounts(mount), resolutions: parseResolutions(resolve), adminListen: admin };
}

/**
 * Returns whether a text is an origin as browsers send it (RFC 6454 §6.2): scheme, host and, unless it is the default,
 * port. Of the schemes of the web the URL parser knows host and default port; of those of extensions and applications
 * (`chrome-extension:`, `tauri:`, `vscode-webview:`, `app:`) it knows no origin, so they are read as text.
 */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || text.includes('*')) return false;
  if (url.origin !== 'null') return url.origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._~-]+(?::\d{1,5})?$/.test(text);
}
