import type { AccessRequest, PrimitiveKind } from '../../authz/model.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { Authorization } from './authorization.ts';
import { type ListQuery, type PagedList, readPages } from './list-pages.ts';
import type { ClientRequest, SessionParts } from './model.ts';
import { qualify } from './qualified-names.ts';
import { exposeTemplate, exposeUri, isUiUri } from './resource-uris.ts';
import type { TargetFailures } from './target-failures.ts';
import { type UiOwners, withoutForeignPages } from './ui-owners.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** One of the four lists of MCP. */
interface ListKind extends PagedList {
  readonly use: PrimitiveKind;
  /** The member of an entry that contains its name or URI. */
  readonly key: string;
  /** Returns the name or URI for clients; `undefined` when it cannot be exposed. */
  expose(target: string, name: string): string | undefined;
}

/** The list methods of MCP. */
export type ListMethod = 'tools/list' | 'prompts/list' | 'resources/list' | 'resources/templates/list';

const listKinds: Readonly<Record<ListMethod, ListKind>> = {
  'tools/list': { member: 'tools', capability: 'tools', use: 'tool', key: 'name', expose: exposeName },
  'prompts/list': { member: 'prompts', capability: 'prompts', use: 'prompt', key: 'name', expose: exposeName },
  'resources/list': {
    member: 'resources',
    capability: 'resources',
    use: 'resource',
    key: 'uri',
    expose: (target, name) => (isUiUri(name) ? name : exposeUri({ target, name })),
  },
  'resources/templates/list': {
    member: 'resourceTemplates',
    capability: 'resources',
    use: 'resource',
    key: 'uriTemplate',
    expose: (target, name) => exposeTemplate({ target, name }),
  },
};

/** Milliseconds for all pages of one target, including the connection. A slower target is left out of the list. */
const listTimeout = 5_000;

/** Returns whether {@link Lists} handles a method. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(listKinds, method);
}

/** One entry of a merged list. */
interface ListEntry {
  readonly target: string;
  /** The name or URI at the target. */
  readonly name: string;
  /** The name or URI for clients. */
  readonly exposed: string;
  /** The entry with its exposed name or URI. */
  readonly json: JsonObject;
}

/** What the lists of all sessions know of the targets. */
export interface ListState {
  readonly failures: TargetFailures;
  readonly uiOwners: UiOwners;
}

/** The merged lists of all targets. */
export interface Lists {
  /** Handles a list request: returns all entries that are visible to the caller, on one page. */
  handle(method: ListMethod, request: ClientRequest): Promise<Result>;
  /** Returns the target that owns a `ui://` URI. Lists the tools when none is known to. */
  ownerOf(uri: string, signal: AbortSignal): Promise<string | undefined>;
}

/**
 * Lists ask all targets at the same time and leave out those that fail or do not respond within {@link listTimeout}.
 */
export function createLists(
  { clock }: Pick<SessionParts, 'clock'>,
  upstreams: UpstreamSessions,
  { failures, uiOwners }: ListState,
  authorization: Authorization,
): Lists {
  const entriesOf = async (target: string, method: ListMethod, query: ListQuery): Promise<ListEntry[]> => {
    const upstream = upstreams.get(target);
    if (upstream === undefined) return [];
    const kind = listKinds[method];
    try {
      const limit = { clock, milliseconds: listTimeout, signal: query.signal };
      const entries = await within(limit, (signal) => readPages(upstream, method, kind, { ...query, signal }));
      failures.succeeded(target, method);
      if (method === 'tools/list') uiOwners.toolsListed(target, entries);
      return entries.flatMap((entry) => listEntry(target, kind, entry));
    } catch (error) {
      if (!query.signal.aborted) failures.failed(target, method, error);
      return [];
    }
  };

  /** Collects the entries of all targets, in the order of the targets' names by bytes. */
  const collect = async (method: ListMethod, query: ListQuery): Promise<readonly ListEntry[]> => {
    const perTarget = await Promise.all(upstreams.targetNames().map((target) => entriesOf(target, method, query)));
    const entries = perTarget.flatMap(withoutDuplicates);
    return method === 'resources/list' ? withoutForeignPages(entries, uiOwners) : entries;
  };

  return {
    async ownerOf(uri, signal) {
      if (uiOwners.claimants(uri).length === 0) await collect('tools/list', { params: {}, signal });
      const [owner, ...others] = uiOwners.claimants(uri);
      return others.length === 0 ? owner : undefined;
    },
    async handle(method, { params, caller, signal }) {
      const kind = listKinds[method];
      // The first page contains everything, so the gateway has never returned a cursor.
      if (params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
      const entries = await collect(method, { params: withoutProgressToken(params), signal });
      const visible = entries.filter((entry) => authorization.isVisible(useOf(kind, entry), caller));
      return { [kind.member]: visible.map(({ json }) => json) };
    },
  };
}

/** Removes the client's progress token: the progress of one target is not that of the merged list. */
export function withoutProgressToken({ _meta: meta, ...params }: Params = {}): Params {
  if (meta === undefined) return params;
  const { progressToken: _, ...rest } = meta;
  return { ...params, _meta: rest };
}

function listEntry(target: string, kind: ListKind, json: unknown): ListEntry[] {
  const name = isJsonObject(json) ? json[kind.key] : undefined;
  if (!isJsonObject(json) || typeof name !== 'string' || name === '') return [];
  const exposed = kind.expose(target, name);
  return exposed === undefined ? [] : [{ target, name, exposed, json: { ...json, [kind.key]: exposed } }];
}

/** Keeps the first entry of each exposed name of a target. */
function withoutDuplicates(entries: readonly ListEntry[]): readonly ListEntry[] {
  const seen = new Set<string>();
  return entries.filter(({ exposed }) => !seen.has(exposed) && seen.add(exposed));
}

function useOf(kind: ListKind, { target, name }: ListEntry): AccessRequest {
  return { kind: kind.use, name: qualify({ target, name }) };
}

function exposeName(target: string, name: string): string {
  return qualify({ target, name });
}
