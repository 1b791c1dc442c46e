import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject, textIn } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import { reasonOf } from '../../net/errors.ts';
import type { TextFetch } from '../../net/outbound/text-fetch.ts';

/**
 * Finds the URL of an issuer's keys: the `jwks_uri` of its metadata (RFC 8414, OpenID Connect Discovery 1.0).
 *
 * The metadata must name the issuer that was asked for, character by character (RFC 8414 §3.3): otherwise one issuer
 * could have its keys used for the tokens of another one. Keys of an issuer with TLS come with TLS.
 *
 * @param left milliseconds for everything that is still to do, the keys included. Each of at most three requests may
 *   take half of it: a place that does not answer leaves time for the next one
 * @throws Error with the reason of the last document that was there, or of the last request
 */
export async function discoverKeys(issuer: string, fetchText: TextFetch, left: () => number): Promise<URL> {
  let failure: unknown;
  for (const url of metadataUrls(issuer)) {
    let text: string;
    try {
      text = await fetchText(url, { timeout: left() / 2 });
    } catch (error) {
      failure = new Error(`${url} cannot be read: ${reasonOf(error)}`, { cause: error });
      continue;
    }
    return keysOf(text, issuer, url);
  }
  throw failure;
}

/**
 * The places of the metadata, in the order of MCP 2025-11-25 (Authorization, Authorization Server Metadata Discovery):
 * the path of an issuer follows the well-known part, and for OpenID Connect it may also precede it.
 */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ]),
  ];
}

/** Metadata has some dozens of members, and lists of a few texts. */
const bounds = { maxValues: 20_000, maxDepth: 16 };

function keysOf(text: string, issuer: string, from: string): URL {
  const parsed = parseBoundedJson(text, bounds);
  const metadata = parsed.kind === 'json' ? parsed.value : undefined;
  if (!isJsonObject(metadata)) throw new Error(`${from} is no JSON object of up to ${bounds.maxValues} values`);
  const named = textIn(metadata, 'issuer');
  if (named !== issuer) {
    throw new Error(`${from} names the issuer ${quoted(named ?? '')} instead of ${quoted(issuer)}`);
  }
  const keys = URL.parse(textIn(metadata, 'jwks_uri') ?? '');
  if (keys === null || !/^https?:$/.test(keys.protocol)) throw new Error(`${from} has no jwks_uri`);
  if (keys.protocol === 'http:' && new URL(issuer).protocol === 'https:') {
    throw new Error(`${from} has a jwks_uri without TLS`);
  }
  return keys;
}
