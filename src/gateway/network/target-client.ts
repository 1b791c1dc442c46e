import type { Dispatcher } from 'undici';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { isLoopback } from '../../net/loopback.ts';
import { refuseCoding } from '../../net/outbound/text-fetch.ts';
import type { TargetFetch, TargetResponse } from '../model.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { portOf } from './connector.ts';
import { type DispatchedResponse, dispatch } from './dispatch.ts';
import type { PacedReading } from './paced-reading.ts';
import type { Resolutions } from './resolve.ts';
import type { TargetPools } from './target-pools.ts';
import type { TargetSettings } from './target-settings.ts';
import { targetUrl } from './target-url.ts';

/*
 * Requests go to undici's dispatcher without its `fetch` and `request`, whose objects and streams take as much time for a
 * small call as all else that the gateway does.
 */

/** What the clients of all targets share. */
interface TargetClientParts {
  readonly pools: Pick<TargetPools<Dispatcher>, 'take'>;
  /** Of their connections. */
  readonly reading: Pick<PacedReading, 'found'>;
  readonly connections: ConnectionLimit;
  readonly resolutions: Resolutions;
  readonly settings: TargetSettings;
}

/** Creates the client of one target; see {@link TargetFetch}. */
export function createTargetFetch(
  { pools, reading, connections, resolutions, settings }: TargetClientParts,
  target: Target,
): TargetFetch {
  const url = targetUrl(target);
  const authority = url === undefined ? undefined : loopbackAuthority(url, resolutions);
  return async (to, { method, headers, body, signal }) => {
    const { origin } = to;
    if (url === undefined || origin !== url.origin) {
      const served = url?.origin ?? 'no usable URL';
      throw new Error(`target ${target.name} is served at ${served}; a request to ${origin} is refused`);
    }
    const path = `${to.pathname}${to.search}`;
    const added = settings.headersOf(target.name);
    // What the operator has set replaces what a client has sent.
    const own = { ...sentHeaders(headers, authority, settings), ...Object.fromEntries(added) };
    const release = connections.open(target.name);
    const pool = pools.take(origin);
    const { dispatcher } = pool;
    const closed = (): void => {
      release();
      pool.release();
    };
    const found = (): void => reading.found();
    const answer = await dispatch(dispatcher, { origin, path, method, headers: own, body, signal, closed, found });
    const hasSecrets = (): boolean => added.size > 0 || Object.keys(own).some(settings.passes);
    const response = await refuseCoding(responseOf(answer, hasSecrets));
    return authority === undefined ? response : withTargetLocation(response, url, authority);
  };
}

/**
 * Returns the `Host` of a target that `--resolve` maps to a loopback address, or `undefined` for other targets, which
 * get the name in their URL. Servers on loopback refuse a `Host` that is not loopback (protection against DNS
 * rebinding).
 */
function loopbackAuthority(url: URL, resolutions: Resolutions): string | undefined {
  const resolved = resolutions.find(url.hostname, portOf(url));
  return resolved !== undefined && isLoopback(resolved.host) ? formatHostPort(resolved) : undefined;
}

/** Headers that could carry a client's credentials; not sent to a target unless the operator names them. */
const credentialHeaders: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];

function sentHeaders(
  headers: Readonly<Record<string, string>>,
  authority: string | undefined,
  { passes }: TargetSettings,
): Readonly<Record<string, string>> {
  const sent: Record<string, string> = { 'user-agent': 'gatehouse', 'accept-encoding': 'identity' };
  if (authority !== undefined) sent['host'] = authority;
  for (const [name, value] of Object.entries(headers)) {
    const lowerCase = name.toLowerCase();
    if (!credentialHeaders.includes(lowerCase) || passes(lowerCase)) sent[lowerCase] = value;
  }
  return sent;
}

/** @param hasSecrets whether the request had headers of the operator, or some that clients send */
function responseOf({ status, headers, body }: DispatchedResponse, hasSecrets: () => boolean): TargetResponse {
  const ok = status >= 200 && status < 300;
  return {
    status,
    ok,
    headers: { get: (name) => joined(headers[name.toLowerCase()]) },
    body,
    mayRepeatSecrets: !ok && hasSecrets(),
  };
}

function joined(value: string | readonly string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(', ');
}

/**
 * Replaces the loopback authority in a `Location` header by the target's own origin, so that the redirect can be
 * followed.
 */
function withTargetLocation(response: TargetResponse, url: URL, authority: string): TargetResponse {
  const location = URL.parse(response.headers.get('location') ?? '');
  if (location?.origin !== new URL(`${url.protocol}//${authority}`).origin) return response;
  const replaced = `${url.origin}${location.pathname}${location.search}`;
  const get = (name: string): string | null =>
    name.toLowerCase() === 'location' ? replaced : response.headers.get(name);
  return { ...response, headers: { get } };
}
