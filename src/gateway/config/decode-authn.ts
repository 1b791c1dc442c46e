import { shortened } from '../../json/quoted.ts';
import { configError, type JsonFields } from './fields.ts';
import type { JwksConfig, JwtAuthnConfig } from './model.ts';
import type { Mounts } from './mounts.ts';

/**
 * Decodes `authn`. An unknown field is an error at every level: a mistyped `audience` must not mean "any audience".
 *
 * @throws GatewayError that names the field
 */
export function decodeAuthn(authn: JsonFields, mounts: Mounts): JwtAuthnConfig {
  authn.word('type', ['jwt']);
  authn.only(['type', 'issuer', 'audience', 'jwks']);
  return {
    issuers: authn.strings('issuer'),
    audiences: authn.strings('audience'),
    jwks: decodeJwks(authn.object('jwks'), mounts),
  };
}

function decodeJwks(jwks: JsonFields, mounts: Mounts): JwksConfig {
  switch (jwks.word('type', ['local', 'remote'])) {
    case 'local':
      jwks.only(['type', 'source']);
      return decodeLocal(jwks.object('source'), mounts);
    case 'remote':
      jwks.only(['type', 'url', 'port', 'path', 'headers', 'initial_timeout', 'refresh_interval']);
      return decodeRemote(jwks);
  }
}

function decodeLocal(source: JsonFields, mounts: Mounts): JwksConfig {
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

function decodeRemote(jwks: JsonFields): JwksConfig {
  return {
    kind: 'remote',
    url: decodeUrl(jwks),
    headers: decodeHeaders(jwks),
    initialTimeout: jwks.duration('initial_timeout', 5_000),
    refreshInterval: jwks.duration('refresh_interval', 60_000),
  };
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
