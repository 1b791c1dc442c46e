import type { RequestListener, ServerResponse } from 'node:http';
import { resource_TypeToJSON, rule_MatcherToJSON } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { AuthnStatus } from '../authn/model.ts';
import type { World } from '../model.ts';
import { targetUrl } from '../network/target-url.ts';
import type { XdsStatus } from '../xds/model.ts';

/** A listener for MCP clients, as the admin page shows it. */
export type ListenerStatus =
  | { readonly type: 'sse'; readonly address: string; readonly authn: AuthnStatus | null }
  | { readonly type: 'stdio'; readonly authn: null };

/** What the admin page looks at. It changes nothing. */
export interface AdminSources {
  readonly world: World;
  readonly xds: () => XdsStatus;
  readonly listeners: () => readonly ListenerStatus[];
}

/**
 * Answers `GET /targets`, `/rbac` and `/listeners` with what is in force at this moment, and how things stand with the
 * control plane beside it. Names stand in bytewise order. Nothing secret is shown: keys by their ids, no tokens.
 */
export function createAdmin({ world, xds, listeners }: AdminSources): RequestListener {
  const pages = new Map<string, () => object>([
    ['/targets', () => ({ targets: targetsOf(world) })],
    ['/rbac', () => ({ configs: configsOf(world) })],
    ['/listeners', () => ({ listeners: listeners() })],
  ]);
  const paths = [...pages.keys()].join(', ');

  return (request, response) => {
    const page = pages.get(URL.parse(request.url ?? '', 'http://admin')?.pathname ?? '');
    const { method = '' } = request;
    if (page === undefined) return text(response, 404, `There is nothing here; there is ${paths}.`);
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return text(response, 405, 'This page can only be read: use GET.');
    }
    const body = `${JSON.stringify({ ...page(), controlPlane: xds() }, null, 2)}\n`;
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    response.end(method === 'HEAD' ? undefined : body);
  };
}

function text(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

function targetsOf({ targets }: World): readonly object[] {
  return byName(targets).map(([, target]) => ({ ...target, url: targetUrl(target)?.href ?? null }));
}

function configsOf({ configs }: World): readonly object[] {
  return byName(configs).map(([name, { rules }]) => ({
    name,
    rules: rules.map(({ key, value, resource, matcher }) => ({
      key,
      value,
      matcher: rule_MatcherToJSON(matcher),
      resource: resource === undefined ? null : { id: resource.id, type: resource_TypeToJSON(resource.type) },
    })),
  }));
}

function byName<Message>(held: ReadonlyMap<string, Message>): readonly (readonly [string, Message])[] {
  return [...held].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
