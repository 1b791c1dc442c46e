import type { RequestListener, ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { resource_TypeToJSON, rule_MatcherToJSON } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { RequestTurns } from '../../net/listener/request-turns.ts';
import { parseRequestUrl } from '../../net/request-url.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { AuthnStatus } from '../authn/model.ts';
import type { GatewayConfig, TargetState } from '../model.ts';
import { targetUrl } from '../network/target-url.ts';
import type { XdsStatus } from '../xds/model.ts';
import type { GatewayMetrics } from './metrics.ts';

/** A listener for MCP clients, as `/listeners` shows it. */
export type ListenerStatus =
  | { readonly type: 'sse'; readonly address: string; readonly authn: AuthnStatus | null }
  | { readonly type: 'stdio'; readonly authn: null };

/** The state that the admin pages show. */
export interface AdminParts {
  readonly config: GatewayConfig;
  readonly targetState: (target: string) => TargetState;
  readonly xds: () => XdsStatus;
  /** Why the gateway should get no requests now; `undefined` when it may. */
  readonly notReady: () => string | undefined;
  readonly listeners: () => readonly ListenerStatus[];
  readonly metrics: GatewayMetrics;
  /** Called with each error of a page; the client gets status 500. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Counts requests beyond those that are answered at once, and logs that there are some. */
function createRefusals({ metrics, clock, log }: AdminParts): (address: string) => void {
  const throttle = new LogThrottle(clock, log);
  return (address) => {
    metrics.count('gatehouse_gateway_requests_refused_total', { reason: 'admin' });
    const message = 'requests for admin pages are refused: an address, or all together, have too many open';
    throttle.failed('pages', { reason: 'too many requests', message, fields: { listener: 'admin', address } });
  };
}

/** The body of a page. */
interface Page {
  /** Default 200. */
  readonly status?: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Creates the handler of the admin pages: `GET /targets`, `/rbac` and `/listeners` return what is in force, each with
 * the state of the connection to the control plane. Names are sorted by bytes. No page contains a secret: keys appear
 * by their ids, and tokens do not appear. `/metrics` is for Prometheus, `/healthz` succeeds while the process runs, and
 * `/readyz` while clients should be sent here: neither waits for a turn behind other pages.
 */
export function createAdmin(parts: AdminParts): RequestListener {
  const { config, targetState, xds, notReady, listeners, metrics, failed } = parts;
  const json = (state: object): Page => {
    return {
      type: 'application/json; charset=utf-8',
      text: `${JSON.stringify({ ...state, controlPlane: xds() }, null, 2)}\n`,
    };
  };
  const turns = new RequestTurns(parts.clock);
  const refused = createRefusals(parts);
  const pages = new Map<string, () => Page | Promise<Page>>([
    ['/targets', () => json({ targets: targetsOf(config, targetState) })],
    ['/rbac', () => json({ configs: rbacConfigsOf(config) })],
    ['/listeners', () => json({ listeners: listeners() })],
    ['/metrics', async () => ({ type: metrics.contentType, text: await metrics.text() })],
  ]);
  const probes = new Map<string, () => Page>([
    ['/healthz', () => plainText(200, 'ok')],
    ['/readyz', () => plainText(notReady() === undefined ? 200 : 503, notReady() ?? 'ok')],
  ]);
  const paths = [...pages.keys(), ...probes.keys()].join(', ');

  return (request, response) => {
    const path = parseRequestUrl(request.url)?.pathname ?? '';
    const probe = probes.get(path);
    const page = probe ?? pages.get(path);
    const { method = '' } = request;
    if (page === undefined) return sendText(response, 404, `There is nothing here; there is ${paths}.`);
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendText(response, 405, 'This page can only be read: use GET.');
    }
    const address = request.socket.remoteAddress ?? '';
    const made = probe === undefined ? turns.run(address, page) : Promise.resolve(probe());
    if (made === undefined) {
      refused(address);
      response.setHeader('retry-after', '1');
      return sendText(response, 503, 'Too many requests are being answered: try again.');
    }
    sendPage(response, method, made).catch((error: unknown) => {
      failed(error);
      sendText(response, 500, 'internal error');
    });
  };
}

async function sendPage(response: ServerResponse, method: string, page: Promise<Page>): Promise<void> {
  const { status = 200, type, text } = await page;
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : text);
}

function plainText(status: number, line: string): Page {
  return { status, type: 'text/plain; charset=utf-8', text: `${line}\n` };
}

function sendText(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

function targetsOf({ targets }: GatewayConfig, stateOf: AdminParts['targetState']): readonly object[] {
  return sortedByName(targets).map(([name, target]) => {
    return { ...target, url: targetUrl(target)?.href ?? null, ...stateOf(name) };
  });
}

function rbacConfigsOf({ rbacConfigs }: GatewayConfig): readonly object[] {
  return sortedByName(rbacConfigs).map(([name, { rules }]) => ({
    name,
    rules: rules.map(({ key, value, resource, matcher }) => ({
      key,
      value,
      matcher: rule_MatcherToJSON(matcher),
      resource: resource === undefined ? null : { id: resource.id, type: resource_TypeToJSON(resource.type) },
    })),
  }));
}

function sortedByName<Message>(resources: ReadonlyMap<string, Message>): readonly (readonly [string, Message])[] {
  return [...resources].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
