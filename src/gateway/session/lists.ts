import type { Use, UseKind } from '../../authz/model.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { UpstreamSession } from '../upstream/model.ts';
import type { Authorization } from './authorization.ts';
import type { ClientRequest, SessionParts } from './model.ts';
import { qualify } from './qualified-names.ts';
import { exposeTemplate, exposeUri, isUiUri } from './resource-uris.ts';
import type { TargetFailures } from './target-failures.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** One of the four lists of MCP. */
interface ListKind {
  /** The member of the result that contains the entries. */
  readonly member: string;
  /** The capability without which a target is not asked. */
  readonly capability: string;
  readonly use: UseKind;
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
/** Limits per target and list. Entries beyond them are left out. */
const maxPages = 100;
const maxEntries = 10_000;
/** Characters of JSON: enough for ten thousand tools with their schemas. */
const maxCharacters = 16 * 1024 * 1024;

/** Tests whether {@link Lists} handles a method. */
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

/** The merged lists of all targets. */
export interface Lists {
  /** Handles a list request: returns all entries that are visible to the caller, on one page. */
  handle(method: ListMethod, request: ClientRequest): Promise<Result>;
  /** Returns the target that owns a `ui://` URI: the first one, by the bytes of its name, that lists it as a resource. */
  ownerOf(uri: string, signal: AbortSignal): Promise<string | undefined>;
}

/** Lists ask all targets at the same time and leave out those that fail or do not respond within {@link listTimeout}. */
export function createLists(
  { clock }: Pick<SessionParts, 'clock'>,
  upstreams: UpstreamSessions,
  failures: TargetFailures,
  authorization: Authorization,
): Lists {
  let uiOwners: ReadonlyMap<string, string> = new Map();

  const entriesOf = async (target: string, method: ListMethod, query: ListQuery): Promise<ListEntry[]> => {
    const upstream = upstreams.get(target);
    if (upstream === undefined) return [];
    const kind = listKinds[method];
    try {
      const limit = { clock, milliseconds: listTimeout, signal: query.signal };
      const entries = await within(limit, (signal) => readPages(upstream, method, { ...query, signal }));
      failures.succeeded(target, method);
      return entries.flatMap((entry) => listEntry(target, kind, entry));
    } catch (error) {
      if (!query.signal.aborted) failures.failed(target, method, error);
      return [];
    }
  };

  /** Collects the entries of all targets, in the order of the targets' names by bytes. */
  const collect = async (method: ListMethod, query: ListQuery): Promise<readonly ListEntry[]> => {
    const perTarget = await Promise.all(upstreams.targetNames().map((target) => entriesOf(target, method, query)));
    const entries = withoutDuplicates(perTarget.flat());
    if (method === 'resources/list') {
      uiOwners = new Map(entries.flatMap(({ exposed, target }) => (isUiUri(exposed) ? [[exposed, target]] : [])));
    }
    return entries;
  };

  return {
    async ownerOf(uri, signal) {
      const known = uiOwners.get(uri);
      if (known !== undefined && upstreams.get(known) !== undefined) return known;
      await collect('resources/list', { params: {}, signal });
      return uiOwners.get(uri);
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

/** The parameters for the targets, and the signal that ends the request. */
interface ListQuery {
  readonly params: Params;
  readonly signal: AbortSignal;
}

/** Reads all pages of a target's list, up to the limits. Returns no entries when the target lacks the capability. */
async function readPages(
  upstream: UpstreamSession,
  method: ListMethod,
  { params, signal }: ListQuery,
): Promise<unknown[]> {
  const { capability, member } = listKinds[method];
  if (!Object.hasOwn(await upstream.capabilities(signal), capability)) return [];
  const entries: unknown[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (let page = 0; page < maxPages && entries.length < maxEntries; page++) {
    const query = { params: cursor === undefined ? params : { ...params, cursor }, signal };
    const result = await readPage(upstream, method, query);
    const found = result?.[member];
    const next = result?.['nextCursor'];
    if (Array.isArray(found)) {
      characters += JSON.stringify(found).length;
      if (characters > maxCharacters) return entries;
      entries.push(...found.slice(0, maxEntries - entries.length));
    }
    if (typeof next !== 'string' || next === cursor) return entries;
    cursor = next;
  }
  return entries;
}

async function readPage(
  upstream: UpstreamSession,
  method: ListMethod,
  { params, signal }: ListQuery,
): Promise<Result | undefined> {
  try {
    return await upstream.request(method, params, signal);
  } catch (error) {
    if (error instanceof RpcError && error.code === errorCode.methodNotFound) return undefined;
    throw error;
  }
}

/** Removes the client's progress token: the progress of one target is not that of the merged list. */
function withoutProgressToken({ _meta: meta, ...params }: Params = {}): Params {
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

/** Keeps the first entry of each exposed name. */
function withoutDuplicates(entries: readonly ListEntry[]): readonly ListEntry[] {
  const seen = new Set<string>();
  return entries.filter(({ exposed }) => !seen.has(exposed) && seen.add(exposed));
}

function useOf(kind: ListKind, { target, name }: ListEntry): Use {
  return { kind: kind.use, name: qualify({ target, name }) };
}

function exposeName(target: string, name: string): string {
  return qualify({ target, name });
}
