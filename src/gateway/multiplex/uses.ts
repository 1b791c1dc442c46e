import type { AccessRequest, PrimitiveKind } from '../../authz/model.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { type Access, unknownName } from './access.ts';
import { isJsonObject, type ShowUri, showContents, showPrompt, showToolResult } from './content.ts';
import type { Links } from './links.ts';
import type { Lists } from './lists.ts';
import type { Exchange } from './model.ts';
import { type Qualified, qualify, unqualify } from './names.ts';
import { isUiUri, readUri, showUri } from './resource-uris.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Destination, Traffic } from './traffic.ts';

/** What answering the requests for one thing of one target takes. */
export interface UsesParts {
  readonly access: Access;
  readonly links: Links;
  readonly lists: Lists;
  readonly traffic: Traffic;
  readonly subscriptions: Subscriptions;
}

type Answer = (exchange: Exchange) => Promise<Result>;

/** A thing that a caller may use, and the way to it. */
interface Found extends Destination {
  /** The target's own name or URI of it. */
  readonly name: string;
}

/** The requests for one thing of one target, by method. Each is decided upon before its target hears of it. */
export function createUses(parts: UsesParts): Readonly<Record<string, Answer>> {
  const { traffic, subscriptions } = parts;

  return {
    async 'tools/call'(exchange) {
      const tool = findNamed(parts, 'tool', exchange, stringOf(exchange.params, 'name'));
      // Tasks are not offered, so what asks for one is ignored (MCP 2025-11-25, Tasks): nobody could fetch its result.
      const { task: _, ...params } = exchange.params ?? {};
      const result = await traffic.forward(tool, exchange, { ...params, name: tool.name });
      return showToolResult(result, showAt(tool.target));
    },
    async 'prompts/get'(exchange) {
      const prompt = findNamed(parts, 'prompt', exchange, stringOf(exchange.params, 'name'));
      const result = await traffic.forward(prompt, exchange, { ...exchange.params, name: prompt.name });
      return showPrompt(result, showAt(prompt.target));
    },
    async 'resources/read'(exchange) {
      const asked = stringOf(exchange.params, 'uri');
      const resource = await findResource(parts, exchange, asked);
      const result = await traffic.forward(resource, exchange, { ...exchange.params, uri: resource.name });
      const show = showAt(resource.target);
      return showContents(result, (uri) => (uri === resource.name ? asked : show(uri)));
    },
    async 'resources/subscribe'(exchange) {
      const asked = stringOf(exchange.params, 'uri');
      const resource = await findResource(parts, exchange, asked);
      const params = { ...exchange.params, uri: resource.name };
      const result = await traffic.forward(resource, exchange, params);
      subscriptions.add({ target: resource.target, name: resource.name, asked, params, caller: exchange.caller });
      return result;
    },
    async 'resources/unsubscribe'(exchange) {
      const asked = stringOf(exchange.params, 'uri');
      const resource = await locate(parts, exchange, asked);
      const link = resource === undefined ? undefined : parts.links.of(resource.target);
      // Leaving needs no permission: what was allowed once may be denied by now.
      if (resource === undefined || link === undefined || !subscriptions.remove(resource)) return {};
      const use: AccessRequest = { kind: 'resource', name: qualify(resource) };
      const params = { ...exchange.params, uri: resource.name };
      return traffic.forward({ target: resource.target, link, use }, exchange, params);
    },
    async 'completion/complete'(exchange) {
      const ref = exchange.params?.['ref'];
      if (!isJsonObject(ref)) throw invalidParams('ref');
      if (ref['type'] === 'ref/prompt') {
        const prompt = findNamed(parts, 'prompt', exchange, stringOf(ref, 'name'));
        return traffic.forward(prompt, exchange, { ...exchange.params, ref: { ...ref, name: prompt.name } });
      }
      if (ref['type'] !== 'ref/resource') throw invalidParams('ref.type');
      const resource = await findResource(parts, exchange, stringOf(ref, 'uri'));
      return traffic.forward(resource, exchange, { ...exchange.params, ref: { ...ref, uri: resource.name } });
    },
  };
}

/** How clients see the URIs of a target's resources, in whatever it answers. What cannot be shown stays as it is. */
export function showAt(target: string): ShowUri {
  return (name) => (isUiUri(name) ? name : (showUri({ target, name }) ?? name));
}

/** The tool or prompt of this name, if the caller may use it. */
function findNamed({ access, links }: UsesParts, kind: PrimitiveKind, { caller }: Exchange, asked: string): Found {
  const use: AccessRequest = { kind, name: asked };
  access.demand(use, caller, asked);
  const where = unqualify(asked);
  const link = where === undefined ? undefined : links.of(where.target);
  if (where === undefined || link === undefined) throw unknownName(kind, asked);
  return { ...where, link, use };
}

/** The resource (or template) that clients see as `asked`, if the caller may use it. */
async function findResource(parts: UsesParts, exchange: Exchange, asked: string): Promise<Found> {
  const where = await locate(parts, exchange, asked);
  // Without a target there is no name that a rule could allow.
  if (where === undefined) throw unknownName('resource', asked);
  const use: AccessRequest = { kind: 'resource', name: qualify(where) };
  parts.access.demand(use, exchange.caller, asked);
  const link = parts.links.of(where.target);
  if (link === undefined) throw unknownName('resource', asked);
  return { ...where, link, use };
}

async function locate({ lists }: UsesParts, { signal }: Exchange, asked: string): Promise<Qualified | undefined> {
  if (!isUiUri(asked)) return readUri(asked);
  const target = await lists.ownerOf(asked, signal);
  return target === undefined ? undefined : { target, name: asked };
}

function stringOf(params: Params | Readonly<Record<string, unknown>> | undefined, member: string): string {
  const value = params?.[member];
  if (typeof value !== 'string') throw invalidParams(member);
  return value;
}

function invalidParams(member: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Invalid params: ${member}`);
}
