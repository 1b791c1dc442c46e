import { Agent, type Dispatcher, fetch, type RequestInit as UndiciInit } from 'undici';
import type { StopAsync } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { isLoopback } from '../../net/loopback.ts';
import type { TargetFetch } from '../model.ts';
import { createConnector, type Guard } from './connector.ts';
import { endpointText, type Resolutions } from './resolve.ts';
import { targetUrl } from './target-url.ts';

/** Every connection that the gateway opens by HTTP. */
export interface Network {
  /** Requests to one target and to nowhere else; see `TargetFetch`. */
  targetFetch(target: Target): TargetFetch;
  /** Requests to what the operator's own configuration names (keys, the configuration file); follows no redirect. */
  readonly operatorFetch: TargetFetch;
  /** Ends every connection, also those in use. */
  readonly stop: StopAsync;
}

/** Opens nothing until the first request. All targets share one pool of connections, which go when idle. */
export function createNetwork(resolutions: Resolutions): Network {
  const targets = agent(resolutions, 'targets');
  const operator = agent(resolutions, 'none');
  return {
    targetFetch: (target) => targetFetch(targets, target, resolutions),
    operatorFetch: async (url, init) => fetch(url, { ...initOf(init), redirect: 'error', dispatcher: operator }),
    async stop() {
      await Promise.all([targets.destroy(), operator.destroy()]);
    },
  };
}

function agent(resolutions: Resolutions, guard: Guard): Agent {
  // Streams of events may be silent for hours, and a tool may work for long: whoever asks decides how long to wait.
  return new Agent({ connect: createConnector(resolutions, guard), allowH2: false, bodyTimeout: 0, headersTimeout: 0 });
}

function targetFetch(agent: Agent, target: Target, resolutions: Resolutions): TargetFetch {
  const url = targetUrl(target);
  const local = url === undefined ? undefined : localAuthority(url, resolutions);
  const dispatcher = agent.compose(onlyTo({ name: target.name, origin: url?.origin, local }));
  return async (input, init) => {
    const plain = initOf(init);
    const headers = plain.headers.filter(([name]) => !ofTheClient.includes(name));
    const response = await fetch(input, { ...plain, headers, dispatcher });
    return url === undefined || local === undefined ? response : redirectedByName(response, url, local);
  };
}

/**
 * The authority by which a target answers that `--resolve` puts on this machine. Servers on loopback refuse a `Host` that
 * is not loopback (DNS rebinding), so such a one is called by the address it really has. Others keep their name.
 */
function localAuthority({ hostname, port, protocol }: URL, resolutions: Resolutions): string | undefined {
  const resolved = resolutions.find(hostname, port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));
  return resolved !== undefined && isLoopback(resolved.host) ? endpointText(resolved) : undefined;
}

/** A server that is called by its local address redirects there, too. To everybody above, it has the target's name. */
function redirectedByName(response: Response, url: URL, local: string): Response {
  const to = URL.parse(response.headers.get('location') ?? '');
  if (to?.origin !== new URL(`${url.protocol}//${local}`).origin) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.set('location', `${url.origin}${to.pathname}${to.search}`);
  return new Response(body, { status, statusText, headers });
}

/** What could carry a client's credentials: nothing here may send it to an upstream. */
const ofTheClient: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];

/** The part of a request that is passed on, spelled so that it means the same to the platform's fetch and to this one. */
function initOf({ method = 'GET', headers, body, signal, redirect = 'follow' }: RequestInit = {}): UndiciInit & {
  readonly headers: [string, string][];
} {
  if (typeof body !== 'string' && !(body instanceof Uint8Array) && body != null) {
    throw new TypeError('the body of a request to a target is text or bytes');
  }
  // Names come out in lower case.
  return { method, headers: [...new Headers(headers)], body: body ?? null, signal: signal ?? null, redirect };
}

/** Stands below the redirects of `fetch`, so that it sees the origin of each hop. */
function onlyTo(place: {
  readonly name: string;
  readonly origin: string | undefined;
  readonly local: string | undefined;
}): Dispatcher.DispatcherComposeInterceptor {
  const { name, origin, local } = place;
  return (dispatch) => (options, handler) => {
    if (origin === undefined || String(options.origin) !== origin) {
      throw new Error(
        `target ${name} is served at ${origin ?? 'no usable URL'}; a request to ${options.origin} is refused`,
      );
    }
    return dispatch(
      local === undefined ? options : { ...options, headers: { ...options.headers, host: local } },
      handler,
    );
  };
}
