import { Agent, type buildConnector, type Dispatcher, fetch, type RequestInit as UndiciInit } from 'undici';
import type { StopAsync } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { isLoopback } from '../../net/loopback.ts';
import { refuseCoding } from '../../net/text-fetch.ts';
import type { TargetFetch } from '../model.ts';
import { type ConnectionFailure, createOperatorConnector, createTargetConnector, portOf } from './connector.ts';
import type { Resolutions } from './resolve.ts';
import type { TargetSettings } from './target-settings.ts';
import { targetUrl } from './target-url.ts';

/** The HTTP clients of the gateway. */
export interface Network {
  /** Creates the client of one target; see {@link TargetFetch}. */
  targetFetch(target: Target): TargetFetch;
  /** Client for the URLs of the gateway's own configuration (keys, the configuration file). Fails on a redirect. */
  readonly operatorFetch: TargetFetch;
  /** Closes every connection, also those in use. */
  readonly stop: StopAsync;
}

/**
 * Creates the HTTP clients. Opens no connection. All targets share one connection pool, which closes idle connections.
 *
 * @param failed called with each connection to a target that cannot be opened
 */
export function createNetwork(
  resolutions: Resolutions,
  settings: TargetSettings,
  failed: (reason: ConnectionFailure) => void,
): Network {
  const { authorities } = settings;
  const targets = createAgent(createTargetConnector(resolutions, { authorities, failed }));
  const operator = createAgent(createOperatorConnector(resolutions));
  return {
    targetFetch: (target) => createTargetFetch(targets, target, resolutions, settings),
    operatorFetch: async (url, init) => fetch(url, { ...undiciInit(init), redirect: 'error', dispatcher: operator }),
    async stop() {
      await Promise.all([targets.destroy(), operator.destroy()]);
    },
  };
}

function createAgent(connect: buildConnector.connector): Agent {
  // An event stream may be silent for hours, and a tool may run for long: the callers have timeouts of their own.
  return new Agent({ connect, allowH2: false, bodyTimeout: 0, headersTimeout: 0 });
}

function createTargetFetch(
  agent: Agent,
  target: Target,
  resolutions: Resolutions,
  settings: TargetSettings,
): TargetFetch {
  const url = targetUrl(target);
  const authority = url === undefined ? undefined : loopbackAuthority(url, resolutions);
  const dispatcher = agent.compose(restrictToOrigin({ name: target.name, origin: url?.origin, authority }));
  return async (input, init) => {
    const plain = undiciInit(init);
    const added = settings.headersOf(target.name);
    const mayCarry = (name: string): boolean => !credentialHeaders.includes(name) || settings.passes(name);
    // What the operator has set replaces what a client has sent.
    const headers = plain.headers.filter(([name]) => mayCarry(name) && !added.has(name));
    headers.push(...added, ['accept-encoding', 'identity']);
    const response = await refuseCoding(await fetch(input, { ...plain, headers, dispatcher }));
    return url === undefined || authority === undefined ? response : withTargetLocation(response, url, authority);
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

/**
 * Replaces the loopback authority in a `Location` header by the target's own origin, so that the redirect can be
 * followed.
 */
function withTargetLocation(response: Response, url: URL, authority: string): Response {
  const location = URL.parse(response.headers.get('location') ?? '');
  if (location?.origin !== new URL(`${url.protocol}//${authority}`).origin) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.set('location', `${url.origin}${location.pathname}${location.search}`);
  return new Response(body, { status, statusText, headers });
}

/** Headers that could carry a client's credentials; not sent to a target unless the operator names them. */
const credentialHeaders: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];

/** Converts the options of the platform's `fetch` to those of undici's `fetch`. Header names become lower case. */
function undiciInit({ method = 'GET', headers, body, signal, redirect = 'follow' }: RequestInit = {}): UndiciInit & {
  readonly headers: [string, string][];
} {
  if (typeof body !== 'string' && !(body instanceof Uint8Array) && body != null) {
    throw new TypeError('the body of a request to a target is text or bytes');
  }
  return { method, headers: [...new Headers(headers)], body: body ?? null, signal: signal ?? null, redirect };
}

/** Interceptor that refuses every other origin. `fetch` dispatches each redirect anew, so that every hop is checked. */
function restrictToOrigin(target: {
  readonly name: string;
  readonly origin: string | undefined;
  readonly authority: string | undefined;
}): Dispatcher.DispatcherComposeInterceptor {
  const { name, origin, authority } = target;
  return (dispatch) => (options, handler) => {
    if (origin === undefined || String(options.origin) !== origin) {
      throw new Error(
        `target ${name} is served at ${origin ?? 'no usable URL'}; a request to ${options.origin} is refused`,
      );
    }
    return dispatch(
      authority === undefined ? options : { ...options, headers: { ...options.headers, host: authority } },
      handler,
    );
  };
}
