import { durationOf } from './duration.ts';
import { configError, type Fields } from './fields.ts';
import type { JwksConfig, JwtAuthnConfig } from './model.ts';
import type { Mounts } from './mounts.ts';

/**
 * Reads `authn`. An unknown field anywhere in it is an error: a mistyped `audience` must not become "any audience".
 *
 * @throws GatewayError naming the field
 */
export function decodeAuthn(authn: Fields, mounts: Mounts): JwtAuthnConfig {
  authn.word('type', ['jwt']);
  authn.only(['type', 'issuer', 'audience', 'jwks']);
  return {
    issuers: authn.strings('issuer'),
    audiences: authn.strings('audience'),
    jwks: decodeJwks(authn.object('jwks'), mounts),
  };
}

function decodeJwks(jwks: Fields, mounts: Mounts): JwksConfig {
  switch (jwks.word('type', ['local', 'remote'])) {
    case 'local':
      jwks.only(['type', 'source']);
      return decodeLocal(jwks.object('source'), mounts);
    case 'remote':
      jwks.only(['type', 'url', 'port', 'path', 'headers', 'initial_timeout', 'refresh_interval']);
      return decodeRemote(jwks);
  }
}

function decodeLocal(source: Fields, mounts: Mounts): JwksConfig {
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

function decodeRemote(jwks: Fields): JwksConfig {
  const initial = jwks.value('initial_timeout') ?? '5s';
  const refresh = jwks.value('refresh_interval') ?? '60s';
  return {
    kind: 'remote',
    url: remoteUrl(jwks),
    headers: remoteHeaders(jwks),
    initialTimeout: durationOf(initial, jwks.place('initial_timeout')),
    refreshInterval: durationOf(refresh, jwks.place('refresh_interval')),
  };
}

/**
 * Deployed gateways concatenate `<url>:<port>/<path>`. The same parts make the same URL here; a `url` that has a path of
 * its own keeps it, with `path` below, instead of becoming the host `…/realms/x:443`.
 */
function remoteUrl(jwks: Fields): URL {
  const text = jwks.string('url', 'where the keys are, such as "https://issuer.example"');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw configError(jwks.place('url'), 'must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') {
    throw configError(jwks.place('url'), 'must not hold a user or password: use headers');
  }
  if (url.search !== '' || url.hash !== '')
    throw configError(jwks.place('url'), 'must end with the path: put a query into path');
  const port = jwks.value('port') === undefined ? undefined : jwks.integer('port', 1, 65535);
  if (port !== undefined && url.port !== '' && url.port !== String(port)) {
    throw configError(jwks.place('port'), `is ${port}, and url says ${url.port}: keep one of the two`);
  }
  if (port !== undefined) url.port = String(port);
  const path = (jwks.value('path') ?? '') === '' ? '' : `/${jwks.string('path', 'a path').replace(/^\/+/, '')}`;
  const whole = URL.parse(`${url.origin}${url.pathname.replace(/\/+$/, '')}${path}`);
  if (whole === null || whole.hash !== '') throw configError(jwks.place('path'), 'makes no URL');
  return whole;
}

function remoteHeaders(jwks: Fields): ReadonlyMap<string, string> {
  const headers = jwks.stringMap('headers');
  for (const [name, value] of headers) {
    try {
      new Headers().set(name, value);
    } catch {
      throw configError(`${jwks.place('headers')}.${name}`, 'is not a header that HTTP can carry');
    }
  }
  return headers;
}
