import { posix } from 'node:path';
import type { AddressRule } from './address-policy.ts';
import { Refusal } from '../conversion-error.ts';

/**
 * Reads a URL that is about to be fetched: the one asked for, and every one that a redirect names. Host names are
 * checked where they are resolved (`guarded-lookup.ts`); addresses are checked here, after the URL parser has turned
 * every spelling (`127.1`, `0x7f000001`, `[::ffff:127.0.0.1]`) into one.
 */
export function readHttpUrl(text: string, base: URL | undefined, rule: AddressRule): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new Refusal('uri', 'Malformed URL.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Refusal('uri', `Only http: and https: URLs are fetched, and this one is ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Refusal('uri', 'A URL with a user name or a password in it is not fetched.');
  }
  const literal = addressIn(url.hostname);
  if (literal !== undefined) requireAdmitted(url.hostname, literal, rule);
  return url;
}

/** Throws unless the rule admits the address. `host` is what the one who asked calls it. */
export function requireAdmitted(host: string, address: string, rule: AddressRule): void {
  const kind = rule(address);
  if (kind === undefined) return;
  throw new Refusal(
    'address',
    `${host} is at an address that is not public (${kind}); only public hosts are fetched. ` +
      'Whoever runs this server can lift this with --allow-private-addresses.',
  );
}

/** The extension of the path, in lower case; empty when there is none. */
export function extensionOf(url: URL): string {
  return posix.extname(url.pathname).toLowerCase();
}

/** The address that a host is, when it is no name. Whatever has no letter beyond hexadecimal and a colon is IPv6. */
function addressIn(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  // The URL parser leaves nothing that ends in a number but well-formed IPv4.
  return /(^|\.)\d+$/.test(hostname) ? hostname : undefined;
}
