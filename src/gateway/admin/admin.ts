import type { RequestListener, ServerResponse } from 'node:http';
import { resource_TypeToJSON, rule_MatcherToJSON } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { parseRequestUrl } from '../../net/request-url.ts';
import type { AuthnStatus } from '../authn/model.ts';
import type { GatewayConfig } from '../model.ts';
import { targetUrl } from '../network/target-url.ts';
import type { XdsStatus } from '../xds/model.ts';

/** A listener for MCP clients, as `/listeners` shows it. */
export type ListenerStatus =
  | { readonly type: 'sse'; readonly address: string; readonly authn: AuthnStatus | null }
  | { readonly type: 'stdio'; readonly authn: null };

/** The state that the admin pages show. */
export interface AdminParts {
  readonly config: GatewayConfig;
  readonly xds: () => XdsStatus;
  readonly listeners: () => readonly ListenerStatus[];
}

/**
 * Creates the handler of the admin pages: `GET /targets`, `/rbac` and `/listeners` return what is in force, each with
 * the state of the connection to the control plane. Names are sorted by bytes. No page contains a secret: keys appear
 * by their ids, and tokens do not appear.
 */
export function createAdmin({ config, xds, listeners }: AdminParts): RequestListener {
  const pages = new Map<string, () => object>([
    ['/targets', () => ({ targets: targetsOf(config) })],
    ['/rbac', () => ({ configs: rbacConfigsOf(config) })],
    ['/listeners', () => ({ listeners: listeners() })],
  ]);
  const paths = [...pages.keys()].join(', ');

  return (request, response) => {
    const page = pages.get(parseRequestUrl(request.url)?.pathname ?? '');
    const { method = '' } = request;
    if (page === undefined) return sendText(response, 404, `There is nothing here; there is ${paths}.`);
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendText(response, 405, 'This page can only be read: use GET.');
    }
    const body = `${JSON.stringify({ ...page(), controlPlane: xds() }, null, 2)}\n`;
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    response.end(method === 'HEAD' ? undefined : body);
  };
}

function sendText(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

function targetsOf({ targets }: GatewayConfig): readonly object[] {
  return sortedByName(targets).map(([, target]) => ({ ...target, url: targetUrl(target)?.href ?? null }));
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
