import type { AccessRequest } from '../../authz/model.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { Authorization } from './authorization.ts';
import {
  createListCollector,
  type ListCollector,
  type ListCollectorParts,
  type ListEntry,
  type ListKind,
  listKinds,
} from './list-collector.ts';
import { type ListMethod, pagedLists } from './list-pages.ts';
import type { ClientRequest, SessionParts } from './model.ts';
import { qualify } from './qualified-names.ts';
import { isUiUri } from './resource-uris.ts';

/** The merged lists of all targets. */
export interface Lists {
  /** Handles a list request: returns all entries that are visible to the caller, on one page. */
  handle(method: ListMethod, request: ClientRequest): Promise<Result>;
  /**
   * Returns the target that owns a `ui://` URI: the first one, by the bytes of its name, that lists it as a resource.
   */
  ownerOf(uri: string, signal: AbortSignal): Promise<string | undefined>;
  readonly recovered: ListCollector['recovered'];
}

/** Dependencies of the lists of one session. */
export interface ListsParts extends ListCollectorParts {
  readonly list: SessionParts['list'];
  readonly authorization: Authorization;
}

/** Starts without knowing any list. */
export function createLists(parts: ListsParts): Lists {
  const { upstreams, authorization } = parts;
  const { collect, recovered } = createListCollector(parts);
  let uiOwners: ReadonlyMap<string, string> = new Map();

  const setUiOwners = (resources: readonly ListEntry[]): void => {
    uiOwners = new Map(resources.flatMap(({ exposed, target }) => (isUiUri(exposed) ? [[exposed, target]] : [])));
  };

  return {
    async ownerOf(uri, signal) {
      const known = uiOwners.get(uri);
      if (known !== undefined && upstreams.isTarget(known)) return known;
      // Who owns it does not depend on the caller, so that all targets are asked, in no session of the caller.
      using collected = await collect('resources/list', { params: {}, signal }, new Set(), upstreams.targetNames());
      setUiOwners(collected.entries);
      return uiOwners.get(uri);
    },
    async handle(method, { params, caller, signal }) {
      const kind = listKinds[method];
      // The first page contains everything, so the gateway has never returned a cursor.
      if (params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
      const reachable = authorization.reachable(kind.use, caller);
      const query = { params: withoutProgressToken(params), signal };
      const all = upstreams.targetNames();
      // What the caller may not use is not shown in a filtered list, so that there is no reason to ask for it.
      const asked = parts.list === 'all' || reachable === 'all' ? all : all.filter((target) => reachable.has(target));
      using collected = await collect(method, query, reachable, asked);
      const { entries } = collected;
      if (method === 'resources/list' && asked.length === all.length) setUiOwners(entries);
      const visible = entries.filter((entry) => authorization.isVisible(useOf(kind, entry), caller));
      return { [pagedLists[method].member]: visible.map(({ json }) => json) };
    },
    recovered,
  };
}

/** Removes the client's progress token: the progress of one target is not that of the merged list. */
function withoutProgressToken({ _meta: meta, ...params }: Params = {}): Params {
  if (meta === undefined) return params;
  const { progressToken: _, ...rest } = meta;
  return { ...params, _meta: rest };
}

function useOf(kind: ListKind, { target, name }: ListEntry): AccessRequest {
  return { kind: kind.use, name: qualify({ target, name }) };
}
