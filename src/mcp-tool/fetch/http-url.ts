import { posix } from 'node:path';
import { shortened } from '../../json/quoted.ts';
import { ConversionError } from '../conversion-error.ts';
import { type AddressPolicy, requireAllowedAddress } from './address-policy.ts';

/** Characters of a host, escaped and with a user name. The URL parser takes the square of its length. */
const maxHost = 1_024;

/**
 * Parses and checks a URL before each request, including those that redirects name. Literal addresses are checked here,
 * after the URL parser has normalized every notation (`127.1`, `0x7f000001`, `[::ffff:127.0.0.1]`); host names are
 * checked when a connection resolves them (`guarded-lookup.ts`).
 *
 * @param base of a relative redirect
 * @throws ConversionError
 */
export function parseHttpUrl(text: string, base: URL | undefined, policy: AddressPolicy): URL {
  if (hostLength(text) > maxHost) throw new ConversionError('uri', `The host is longer than ${maxHost} characters.`);
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

/**
 * Returns the length of what the URL parser takes for the host: after a scheme with any number of slashes, or after two
 * slashes. It ignores line breaks and tabs everywhere, and white space and control characters before.
 */
function hostLength(text: string): number {
  const { host = '' } =
    /^[^!-\uffff]*(?:[a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2,})(?<host>[^/\\?#]*)/i.exec(text.replace(/[\t\n\r]+/g, ''))
      ?.groups ?? {};
  return host.length;
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
