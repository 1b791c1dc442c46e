import { posix } from 'node:path';
import { shortened } from '../../json/quoted.ts';
import { ConversionError } from '../conversion-error.ts';
import { type AddressPolicy, requireAllowedAddress } from './address-policy.ts';

/**
 * Parses and checks a URL before each request, including those that redirects name. Literal addresses are checked here,
 * after the URL parser has normalized every notation (`127.1`, `0x7f000001`, `[::ffff:127.0.0.1]`); host names are
 * checked when a connection resolves them (`guarded-lookup.ts`).
 *
 * @param base of a relative redirect
 * @throws ConversionError
 */
export function parseHttpUrl(text: string, base: URL | undefined, policy: AddressPolicy): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new ConversionError('uri', 'Malformed URL.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConversionError(
      'uri',
      `Only http: and https: URLs are fetched, and this one is ${shortened(url.protocol)}`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConversionError('uri', 'A URL with a user name or a password in it is not fetched.');
  }
  const address = literalAddress(url.hostname);
  if (address !== undefined) requireAllowedAddress(url.hostname, address, policy);
  return url;
}

/** Returns the extension of the path in lower case with its dot; empty without one. */
export function extensionOf(url: URL): string {
  return posix.extname(url.pathname).toLowerCase();
}

/** Returns the IP address in a parsed URL's hostname; undefined for a name. */
function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  // The URL parser rejects every host whose last label is a number, unless it is a valid IPv4 address.
  return /(^|\.)\d+$/.test(hostname) ? hostname : undefined;
}
