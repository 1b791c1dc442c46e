import { Agent, type buildConnector, fetch, type RequestInit as UndiciInit } from 'undici';
import type { Clock, StopAsync } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { HostLookups } from '../../net/outbound/host-lookups.ts';
import { readCertificates } from '../../net/tls/pem.ts';
import { readTexts } from '../../net/watched-files.ts';
import type { TargetFetch } from '../model.ts';
import { createConnectionLimit } from './connection-limit.ts';
import { type ConnectionFailure, createOperatorConnector, createTargetConnector } from './connector.ts';
import { PacedReading } from './paced-reading.ts';
import type { Resolutions } from './resolve.ts';
import { createTargetFetch } from './target-client.ts';
import { TargetPools } from './target-pools.ts';
import type { TargetSettings } from './target-settings.ts';

/** See {@link Network.operatorFetch}. */
type OperatorFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The HTTP clients of the gateway. */
export interface Network {
  /** Creates the client of one target; see {@link TargetFetch}. */
  targetFetch(target: Target): TargetFetch;
  /** Client for the URLs of the gateway's own configuration (keys, the configuration file). Fails on a redirect. */
  readonly operatorFetch: OperatorFetch;
  /**
   * Returns the same client for servers whose certificates are of the authorities in a file. Reads the file, and makes
   * new connections when it has changed: call it before each request.
   *
   * @throws Error that names the file, when it cannot be used
   */
  fetchTrusting(ca: string): Promise<OperatorFetch>;
  /** Closes every connection, also those in use. */
  readonly stop: StopAsync;
}

/** What the HTTP clients need. */
export interface NetworkParts {
  readonly resolutions: Resolutions;
  readonly settings: TargetSettings;
  readonly clock: Clock;
  /** See {@link createConnectionLimit}. */
  readonly maxTargetConnections?: number | undefined;
  /** Called with each connection to a target that cannot be opened. */
  readonly failed: (reason: ConnectionFailure) => void;
}

/** Creates the HTTP clients. Opens no connection. All targets share connection pools, which close idle connections. */
export function createNetwork(parts: NetworkParts): Network {
  const { resolutions, settings, clock, maxTargetConnections, failed } = parts;
  const { authorities } = settings;
  const lookups = new HostLookups(clock);
  const reading = new PacedReading(clock);
  const connector = createTargetConnector(resolutions, { authorities, lookups, reading, failed });
  const targets = new TargetPools(() => createAgent(connector));
  const connections = createConnectionLimit(maxTargetConnections);
  const operator = createAgent(createOperatorConnector(resolutions));
  /** By the path of the file with their authorities, of which the configuration names a few. */
  const trusting = new Map<string, { readonly text: string; readonly agent: Agent }>();
  let isStopped = false;
  const fetchOver =
    (dispatcher: Agent): OperatorFetch =>
    async (url, init) =>
      fetch(url, { ...undiciInit(init), redirect: 'error', dispatcher });
  return {
    targetFetch: (target) => createTargetFetch({ pools: targets, reading, connections, resolutions, settings }, target),
    operatorFetch: fetchOver(operator),
    async fetchTrusting(ca) {
      const text = (await readTexts([ca])).get(ca) ?? '';
      // Keys may be fetched while the gateway stops: nobody would close a client that is made now.
      if (isStopped) throw new Error('the gateway stops');
      const known = trusting.get(ca);
      if (known?.text === text) return fetchOver(known.agent);
      const authorities = readCertificates({ path: ca, text }).map(String);
      const agent = createAgent(createOperatorConnector(resolutions, authorities));
      trusting.set(ca, { text, agent });
      // Requests in flight end as they began.
      void known?.agent.close();
      return fetchOver(agent);
    },
    async stop() {
      isStopped = true;
      const agents = [targets, operator, ...Array.from(trusting.values(), ({ agent }) => agent)];
      await Promise.all(agents.map((agent) => agent.destroy()));
    },
  };
}

function createAgent(connect: buildConnector.connector): Agent {
  // An event stream may be silent for hours, and a tool may run for long: the callers have timeouts of their own.
  return new Agent({ connect, allowH2: false, bodyTimeout: 0, headersTimeout: 0 });
}

/** Converts the options of the platform's `fetch` to those of undici's `fetch`. Header names become lower case. */
function undiciInit({ method = 'GET', headers, body, signal, redirect = 'follow' }: RequestInit = {}): UndiciInit & {
  readonly headers: [string, string][];
} {
  if (typeof body !== 'string' && !(body instanceof Uint8Array) && body != null) {
    throw new TypeError('the body of a request to a target is text or bytes');
  }
  return { method, headers: [...new Headers(headers)], body: body ?? null, signal: signal ?? null, redirect };
}
