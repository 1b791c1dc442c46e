import { quoted, shortened } from '../../json/quoted.ts';
import { configError, fieldsOf, type JsonFields } from './fields.ts';
import type { JwtAuthnConfig, KeySourceConfig, ProtectedResource } from './model.ts';
import type { Mounts } from './mounts.ts';

/**
 * Decodes `authn`. An unknown field is an error at every level: a mistyped `audience` must not mean "any audience".
 *
 * `issuer` with `jwks` is the form of the deployed gateways: one source of keys for all issuers. `issuers` has a source
 * for each; what a token of them is for must be said, by `audience` or by `resource`.
 *
 * @throws GatewayError that names the field
 */
export function decodeAuthn(authn: JsonFields, mounts: Mounts): JwtAuthnConfig {
  authn.word('type', ['jwt']);
  authn.only(['type', 'issuer', 'issuers', 'audience', 'jwks', 'clock_tolerance', 'resource']);
  const { issuers, jwks } = authn.value('issuers') === undefined ? oneSource(authn, mounts) : byIssuer(authn, mounts);
  const resource = authn.optionalObject('resource');
  const listed = authn.strings('audience');
  const decoded = resource === undefined ? undefined : decodeResource(resource, issuers);
  const audiences = listed.length === 0 && decoded !== undefined ? audiencesOf(decoded) : listed;
  if (jwks.kind === 'by issuer' && audiences.length === 0) {
    throw configError(authn.path('audience'), 'is missing: list the audience of this gateway, or set resource.url');
  }
  return {
    issuers,
    audiences,
    jwks,
    clockTolerance: authn.value('clock_tolerance') === undefined ? undefined : toleranceOf(authn),
    resource: decoded,
  };
}

/** Longer ones would accept tokens long after their issuer ended them. */
const maxTolerance = 5 * 60_000;

function toleranceOf(authn: JsonFields): number {
  // A tolerance of none is sensible where clocks are synchronised, though no other duration may be zero.
  const written = authn.value('clock_tolerance');
  const tolerance = written === 0 || written === '0s' ? 0 : authn.duration('clock_tolerance', 0);
  if (tolerance > maxTolerance) throw configError(authn.path('clock_tolerance'), 'must be at most 5m');
  return tolerance / 1_000;
}

type IssuersAndKeys = Pick<JwtAuthnConfig, 'issuers' | 'jwks'>;

function oneSource(authn: JsonFields, mounts: Mounts): IssuersAndKeys {
  const issuers = authn.strings('issuer');
  const [only, ...others] = issuers;
  const jwks = authn.object('jwks');
  return { issuers, jwks: decodeSource(jwks, mounts, others.length === 0 ? only : undefined) };
}

/** A token chooses the source of its keys by its `iss`, so their number is that of what is kept. */
const maxIssuers = 32;

function byIssuer(authn: JsonFields, mounts: Mounts): IssuersAndKeys {
  for (const name of ['issuer', 'jwks']) {
    if (authn.value(name) !== undefined) {
      throw configError(authn.path(name), 'is for one source of keys: keep it, or issuers, which has one for each');
    }
  }
  const sources = new Map<string, KeySourceConfig>();
  const entries = authn.objects('issuers');
  if (entries.length === 0 || entries.length > maxIssuers) {
    throw configError(authn.path('issuers'), `must have from 1 to ${maxIssuers} entries`);
  }
  for (const entry of entries) {
    entry.only(['issuer', 'jwks']);
    const issuer = entry.string('issuer', 'the issuer as tokens name it, such as "https://issuer.example"');
    if (sources.has(issuer)) throw configError(entry.path('issuer'), `is ${quoted(issuer)} a second time`);
    const jwks = entry.optionalObject('jwks') ?? fieldsOf({ type: 'discovery' }, entry.path('jwks'));
    sources.set(issuer, decodeSource(jwks, mounts, issuer));
  }
  return { issuers: [...sources.keys()], jwks: { kind: 'by issuer', sources } };
}

/** @param issuer the only issuer whose keys these are */
function decodeSource(jwks: JsonFields, mounts: Mounts, issuer: string | undefined): KeySourceConfig {
  switch (jwks.word('type', ['local', 'remote', 'discovery'])) {
    case 'local':
      jwks.only(['type', 'source']);
      return decodeLocal(jwks.object('source'), mounts);
    case 'remote':
      jwks.only(['type', 'url', 'port', 'path', 'headers', 'initial_timeout', 'refresh_interval', 'ca']);
      return decodeRemote(jwks, mounts);
    case 'discovery':
      jwks.only(['type', 'initial_timeout', 'refresh_interval', 'ca']);
      if (issuer === undefined || !isPlainUrl(issuer)) {
        throw configError(jwks.path('type'), 'is "discovery", which needs exactly one issuer, and that to be a URL');
      }
      return { kind: 'discovery', issuer, ...timesOf(jwks), ca: caOf(jwks, mounts, new URL(issuer)) };
  }
}

function decodeRemote(jwks: JsonFields, mounts: Mounts): KeySourceConfig {
  const url = decodeUrl(jwks);
  return { kind: 'remote', url, headers: decodeHeaders(jwks), ...timesOf(jwks), ca: caOf(jwks, mounts, url) };
}

/** @param url what the authorities are for */
function caOf(jwks: JsonFields, mounts: Mounts, url: URL): string | undefined {
  const path = jwks.optionalString('ca');
  if (path !== undefined && url.protocol === 'http:') {
    throw configError(jwks.path('ca'), 'has no effect on keys that come without TLS: write https://, or remove it');
  }
  return path && mounts(path);
}

function timesOf(jwks: JsonFields): { readonly initialTimeout: number; readonly refreshInterval: number } {
  return {
    initialTimeout: jwks.duration('initial_timeout', 5_000),
    refreshInterval: jwks.duration('refresh_interval', 60_000),
  };
}

function decodeResource(resource: JsonFields, issuers: readonly string[]): ProtectedResource {
  resource.only(['url', 'sse_url', 'scopes', 'name', 'documentation']);
  const url = resource.string('url', 'the URL at which clients reach this gateway, such as "https://mcp.example/mcp"');
  const sseUrl = resource.optionalString('sse_url');
  for (const [name, text] of [['url', url] as const, ['sse_url', sseUrl ?? url] as const]) {
    if (isPlainUrl(text)) continue;
    throw configError(resource.path(name), 'must be an https:// or http:// URL without user, query and fragment');
  }
  const authorizationServers = issuers.filter(isPlainUrl);
  if (authorizationServers.length === 0) {
    throw configError(
      resource.path('url'),
      'needs an issuer that is a URL: clients find the authorization server by it',
    );
  }
  const scopes = resource.strings('scopes');
  // RFC 6749 §3.3; what is allowed there needs no escape in the header that it becomes a part of.
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5B\x5D-\x7E]{1,200}$/.test(scope));
  if (wrong !== undefined) throw configError(resource.path('scopes'), `has ${quoted(wrong)}, which is no scope`);
  const documentation = resource.optionalString('documentation');
  if (documentation !== undefined && !/^https?:$/.test(URL.parse(documentation)?.protocol ?? '')) {
    throw configError(resource.path('documentation'), 'must be an https:// or http:// URL');
  }
  return { url, sseUrl, authorizationServers, scopes, name: resource.optionalString('name'), documentation };
}

/** Whether a text is a URL of the web with nothing but origin and path, written so that it fits into a header. */
function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || !/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text)) return false;
  return url.username === '' && url.password === '' && !text.includes('?') && !text.includes('#');
}

/** An origin can be written with and without its slash, and clients of RFC 8707 write it as URL parsers do. */
function audiencesOf({ url, sseUrl = url }: ProtectedResource): readonly string[] {
  return [...new Set([url, sseUrl].flatMap((one) => [one, URL.parse(one)?.href ?? one]))];
}

function decodeLocal(source: JsonFields, mounts: Mounts): KeySourceConfig {
  source.only(['type', 'data']);
  switch (source.word('type', ['file', 'inline'])) {
    case 'file':
      return { kind: 'file', path: mounts(source.string('data', 'the path of a JWK or JWK Set')) };
    case 'inline': {
      const data = source.value('data');
      const isJson = typeof data === 'object' && data !== null;
      return { kind: 'inline', text: isJson ? JSON.stringify(data) : source.string('data', 'a JWK or JWK Set') };
    }
  }
}

/**
 * Builds the URL from `url`, `port` and `path`. The deployed gateways concatenate `<url>:<port>/<path>`; the same
 * fields give the same URL here, except that a path in `url` is kept, with `path` appended, and does not become the
 * host `…/realms/x:443`.
 */
function decodeUrl(jwks: JsonFields): URL {
  const text = jwks.string('url', 'where the keys are, such as "https://issuer.example"');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw configError(jwks.path('url'), 'must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') {
    throw configError(jwks.path('url'), 'must not hold a user or password: use headers');
  }
  if (url.search !== '' || url.hash !== '')
    throw configError(jwks.path('url'), 'must end with the path: put a query into path');
  const port = jwks.value('port') === undefined ? undefined : jwks.integer('port', 1, 65535);
  if (port !== undefined && url.port !== '' && url.port !== String(port)) {
    throw configError(jwks.path('port'), `is ${port}, and url says ${url.port}: keep one of the two`);
  }
  if (port !== undefined) url.port = String(port);
  const path = (jwks.value('path') ?? '') === '' ? '' : `/${jwks.string('path', 'a path').replace(/^\/+/, '')}`;
  const whole = URL.parse(`${url.origin}${withoutTrailingSlashes(url.pathname)}${path}`);
  if (whole === null || whole.hash !== '') throw configError(jwks.path('path'), 'makes no URL');
  return whole;
}

function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

function decodeHeaders(jwks: JsonFields): ReadonlyMap<string, string> {
  const headers = jwks.stringMap('headers');
  for (const [name, value] of headers) {
    try {
      new Headers().set(name, value);
    } catch {
      throw configError(`${jwks.path('headers')}.${shortened(name)}`, 'is not a header that HTTP can carry');
    }
  }
  return headers;
}
