import type { AccessRequest, PrimitiveKind } from '../../authz/model.ts';
import { within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Upstream } from '../upstream/model.ts';
import type { Access } from './access.ts';
import { isJsonObject, type JsonObject } from './content.ts';
import type { Health } from './health.ts';
import type { Links } from './links.ts';
import type { Exchange, MultiplexParts } from './model.ts';
import { qualify } from './names.ts';
import { isUiUri, showTemplate, showUri } from './resource-uris.ts';

/** One of the four lists of MCP. */
interface ListKind {
  /** The member of the result that holds the entries. */
  readonly member: string;
  /** What a target must offer to be asked. */
  readonly capability: string;
  readonly use: PrimitiveKind;
  /** The member of an entry that names it. */
  readonly key: string;
  /** The name as clients see it; `undefined` when it cannot be shown. */
  show(target: string, name: string): string | undefined;
}

/** The methods that {@link Lists} answers. */
export type ListMethod = 'tools/list' | 'prompts/list' | 'resources/list' | 'resources/templates/list';

const listKinds: Readonly<Record<ListMethod, ListKind>> = {
  'tools/list': { member: 'tools', capability: 'tools', use: 'tool', key: 'name', show: showName },
  'prompts/list': { member: 'prompts', capability: 'prompts', use: 'prompt', key: 'name', show: showName },
  'resources/list': {
    member: 'resources',
    capability: 'resources',
    use: 'resource',
    key: 'uri',
    show: (target, name) => (isUiUri(name) ? name : showUri({ target, name })),
  },
  'resources/templates/list': {
    member: 'resourceTemplates',
    capability: 'resources',
    use: 'resource',
    key: 'uriTemplate',
    show: (target, name) => showTemplate({ target, name }),
  },
};

/** A target gets this long for a whole list, connecting included; then the list goes out without it. */
const listMilliseconds = 5_000;
const maxPages = 100;
const maxEntries = 10_000;
/** Of all pages of one target, as text: a list with schemas of ten thousand tools fits. */
const maxCharacters = 16 * 1024 * 1024;

export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(listKinds, method);
}

/** One entry of a merged list. */
interface Listed {
  readonly target: string;
  /** The name or URI that the target gave it. */
  readonly name: string;
  readonly shown: string;
  readonly entry: JsonObject;
}

/** The lists of all targets as one. */
export interface Lists {
  /** The result of a list request: what is visible to its caller, on one page. */
  answer(method: ListMethod, exchange: Exchange): Promise<Result>;
  /** Whose a `ui://` URI is: the first target, in the bytewise order of names, that lists it as a resource. */
  ownerOf(uri: string, signal: AbortSignal): Promise<string | undefined>;
}

/** Asks all targets at once, and waits for none of them longer than {@link listMilliseconds}. */
export function createLists(parts: MultiplexParts, links: Links, health: Health, access: Access): Lists {
  const { clock } = parts;
  let uiOwners: ReadonlyMap<string, string> = new Map();

  const entriesOf = async (
    target: string,
    method: ListMethod,
    kind: ListKind,
    question: Question,
  ): Promise<Listed[]> => {
    const link = links.of(target);
    if (link === undefined) return [];
    try {
      const limit = { clock, milliseconds: listMilliseconds, signal: question.signal };
      const entries = await within(limit, (signal) => drain(link, method, kind, { ...question, signal }));
      health.works(target, method);
      return entries.flatMap((entry) => listed(target, kind, entry));
    } catch (error) {
      if (!question.signal.aborted) health.fails(target, method, error);
      return [];
    }
  };

  /** Everything that the targets list, in the bytewise order of their names; a target that fails is left out. */
  const collect = async (method: ListMethod, question: Question): Promise<readonly Listed[]> => {
    const kind = listKinds[method];
    const perTarget = await Promise.all(links.names().map((target) => entriesOf(target, method, kind, question)));
    const all = firstOfEachName(perTarget.flat());
    if (method === 'resources/list') {
      uiOwners = new Map(all.flatMap(({ shown, target }) => (isUiUri(shown) ? [[shown, target]] : [])));
    }
    return all;
  };

  return {
    async ownerOf(uri, signal) {
      const known = uiOwners.get(uri);
      if (known !== undefined && links.of(known) !== undefined) return known;
      await collect('resources/list', { params: {}, signal });
      return uiOwners.get(uri);
    },
    async answer(method, { params, caller, signal }) {
      const kind = listKinds[method];
      // Everything is on the first page, so no cursor was ever given out.
      if (params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
      const all = await collect(method, { params: forwardable(params), signal });
      const visible = all.filter((item) => access.shows(useOf(kind, item), caller));
      return { [kind.member]: visible.map(({ entry }) => entry) };
    },
  };
}

interface Question {
  readonly params: Params;
  readonly signal: AbortSignal;
}

/** Reads a target's list to its last page, or to the last one that is not too much. A target without such a thing has an empty list. */
async function drain(link: Upstream, method: string, kind: ListKind, { params, signal }: Question): Promise<unknown[]> {
  if (!Object.hasOwn(await link.capabilities(signal), kind.capability)) return [];
  const entries: unknown[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (let page = 0; page < maxPages && entries.length < maxEntries; page++) {
    const result = await ask(link, method, cursor === undefined ? params : { ...params, cursor }, signal);
    const found = result?.[kind.member];
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

async function ask(link: Upstream, method: string, params: Params, signal: AbortSignal): Promise<Result | undefined> {
  try {
    return await link.request(method, params, signal);
  } catch (error) {
    if (error instanceof RpcError && error.code === errorCode.methodNotFound) return undefined;
    throw error;
  }
}

/** The client's own parameters, except that progress of one target is not progress of the whole. */
function forwardable({ _meta: meta, ...params }: Params = {}): Params {
  if (meta === undefined) return params;
  const { progressToken: _, ...rest } = meta;
  return { ...params, _meta: rest };
}

function listed(target: string, kind: ListKind, entry: unknown): Listed[] {
  const name = isJsonObject(entry) ? entry[kind.key] : undefined;
  if (!isJsonObject(entry) || typeof name !== 'string' || name === '') return [];
  const shown = kind.show(target, name);
  return shown === undefined ? [] : [{ target, name, shown, entry: { ...entry, [kind.key]: shown } }];
}

/** What two targets list under one name belongs to the first of them. */
function firstOfEachName(items: readonly Listed[]): readonly Listed[] {
  const seen = new Set<string>();
  return items.filter(({ shown }) => !seen.has(shown) && seen.add(shown));
}

function useOf(kind: ListKind, { target, name }: Listed): AccessRequest {
  return { kind: kind.use, name: qualify({ target, name }) };
}

function showName(target: string, name: string): string {
  return qualify({ target, name });
}
