import type { PrimitiveKind } from '../../../authz/model.ts';
import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import { callerKey } from '../../callers.ts';
import { statelessVersion } from '../../rpc/protocol.ts';
import type { Written } from '../../rpc/source-text.ts';
import type { Authorization } from '../decisions/authorization.ts';
import { type Freshness, joinFreshness, notKept } from '../freshness.ts';
import type { Client } from '../model.ts';
import type { NamedKind } from '../names/name-index.ts';
import type { Names } from '../names/names.ts';
import type { QualifiedName } from '../names/qualified-names.ts';
import { ForeignPages, referredPages, type UiOwners } from '../names/ui-owners.ts';
import type { UpstreamState } from '../upstream-sessions.ts';
import type { HeaderRules } from './header-rules.ts';
import type { TargetMeta } from './list-meta.ts';
import type { ListMethod } from './list-pages.ts';
import { createListReader, type ListReaderParts, type ListRequest, type TargetList } from './list-reader.ts';
import { ListWork } from './list-turns.ts';

/** What the entries of a list are. */
export interface ListKind {
  readonly use: PrimitiveKind;
  /** The member of an entry that contains its name or URI. */
  readonly key: string;
  /** Returns the name or URI for clients; `undefined` when it cannot be exposed. */
  expose(names: Names, name: QualifiedName): string | undefined;
  /** The kind in the index of names; resources are in none. */
  readonly named?: NamedKind;
  /** The notification that tells clients to ask again. */
  readonly changed: string;
}

/** The members of each list, and the rules and notifications that are about them. */
export const listKinds: Readonly<Record<ListMethod, ListKind>> = {
  'tools/list': {
    use: 'tool',
    named: 'tool',
    key: 'name',
    expose: exposeName,
    changed: 'notifications/tools/list_changed',
  },
  'prompts/list': {
    use: 'prompt',
    named: 'prompt',
    key: 'name',
    expose: exposeName,
    changed: 'notifications/prompts/list_changed',
  },
  'resources/list': {
    use: 'resource',
    key: 'uri',
    expose: (names, resource) => names.exposeUri(resource),
    changed: 'notifications/resources/list_changed',
  },
  'resources/templates/list': {
    use: 'resource',
    key: 'uriTemplate',
    expose: (names, template) => names.exposeTemplate(template),
    changed: 'notifications/resources/list_changed',
  },
};

/** One entry of a merged list, as its target has written it. */
export interface ListEntry extends Written {
  readonly target: string;
  /** The name or URI at the target. */
  readonly name: string;
  /** The name or URI for clients. */
  readonly exposed: string;
}

/** The entries of a list, which hold a part of the budget of all targets until they are released. */
export interface CollectedEntries extends Disposable {
  readonly entries: readonly ListEntry[];
  /** Goes on in the turns of the caller. */
  readonly work: ListWork;
  /** The targets that are left out, because they fail, did not respond in time, or list too much. */
  readonly missing: readonly string[];
  /** How long the list may be kept; not at all without a target. */
  readonly freshness: Freshness;
  /** What targets say of their lists. */
  readonly metas: readonly TargetMeta[];
}

/** Reads the lists of targets for one session. */
export interface ListCollector {
  /**
   * Collects the entries of these targets, in the order of the targets' names by bytes. Empty when the request was
   * aborted meanwhile; rejects with the reason when that was before its turn.
   */
  collect(method: ListMethod, request: ListRequest, targets: readonly string[]): Promise<CollectedEntries>;
  /** Tells the client to ask again, if it was not given what the target lists, which answers now. */
  recovered(target: string, method: ListMethod): void;
}

/** Dependencies of a list collector. */
export interface ListCollectorParts extends ListReaderParts {
  readonly client: Client;
  readonly authorization: Authorization;
  readonly uiOwners: UiOwners;
  readonly names: Names;
  readonly headerRules: HeaderRules;
  readonly upstreamState: Pick<UpstreamState, 'memories'>;
  readonly handshake: { version(): string | undefined };
}

/** Creates the collector of one session. */
export function createListCollector(parts: ListCollectorParts): ListCollector {
  const { shared, client, authorization } = parts;
  /** The targets that the last list of each kind was given without, or with what they had said before. */
  const missed = new Map<ListMethod, Set<string>>();

  const readLists = createListReader(parts, (target, method) => missed.get(method)?.delete(target));

  return {
    async collect(method, request, targets) {
      missed.set(method, new Set(targets));
      const reading = readLists(method, request, targets);
      try {
        const lists = await reading.done;
        const work = new ListWork(() => shared.turns.toMake(callerKey(request.caller)), request.signal);
        const entries = await mergeLists(parts, method, work, request.signal, lists);
        const listed = new Set(lists.map(({ target }) => target));
        const missing = targets.filter((target) => !listed.has(target));
        const freshness = missing.length > 0 ? notKept : joinFreshness(lists.map(({ listing }) => listing.freshness));
        const metas = lists.flatMap(({ target, listing: { meta } }) => (meta === undefined ? [] : [{ target, meta }]));
        return { entries, work, missing, freshness, metas, [Symbol.dispose]: reading.release };
      } catch (error) {
        reading.release();
        throw error;
      }
    },
    recovered(target, method) {
      if (missed.get(method)?.delete(target) !== true) return;
      client.notify({ method: listKinds[method].changed }, (caller) => authorization.seesAnythingOf(target, caller));
    },
  };
}

/** Returns the entries of all lists, after what is kept of each target was taken over from its list. */
async function mergeLists(
  parts: ListCollectorParts,
  method: ListMethod,
  work: ListWork,
  signal: AbortSignal,
  lists: readonly TargetList[],
): Promise<readonly ListEntry[]> {
  const { upstreams, uiOwners, names } = parts;
  const entries: ListEntry[] = [];
  const foreign = new ForeignPages(uiOwners);
  for (const { target, listing } of lists) {
    const { listed, pages } = await readEntries(parts, method, work, { target, listing });
    if (signal.aborted) return [];
    // What is kept of a target that was removed meanwhile would be forgotten by nobody.
    if (!upstreams.isTarget(target)) continue;
    if (method === 'tools/list') uiOwners.toolsListed(target, pages);
    const { named } = listKinds[method];
    if (named !== undefined) names.index.listed(named, target, listed);
    for (const entry of listed) {
      if (method === 'resources/list') foreign.listed(entry);
      entries.push(entry);
    }
  }
  return method === 'resources/list' ? entries.filter((entry) => !foreign.has(entry)) : entries;
}

/** Characters of a name or URI in a list, whose encoding takes time; entries with longer ones are left out. */
const maxNameLength = 8 * 1024;

/** Reads what one target lists: the entries that clients may be given, and the pages that its tools refer to. */
async function readEntries(
  parts: ListCollectorParts,
  method: ListMethod,
  work: ListWork,
  { target, listing: { entries, texts } }: TargetList,
): Promise<{ readonly listed: readonly ListEntry[]; readonly pages: readonly string[] }> {
  const kind = listKinds[method];
  const isUsable = usableOf(parts, method, target);
  const listed: ListEntry[] = [];
  const pages: string[] = [];
  const seen = new Set<string>();
  const read = (json: unknown, text: string | undefined): void => {
    if (!isJsonObject(json)) return;
    if (method === 'tools/list') pages.push(...referredPages(json));
    const name = json[kind.key];
    if (typeof name !== 'string' || name === '' || name.length > maxNameLength || !isUsable(json)) return;
    const exposed = kind.expose(parts.names, { target, name });
    // Of several entries with the same name, the first one counts.
    if (exposed === undefined || seen.has(exposed)) return;
    seen.add(exposed);
    listed.push({ target, name, exposed, json, text });
  };
  await work.forEach(entries, (json, index) => {
    const text = texts[index];
    read(json, text);
    return text?.length ?? 0;
  });
  return { listed, pages };
}

/**
 * Returns the function that finds out what a client may use: of tools, where the client or the gateway itself speaks MCP
 * 2026-07-28 over HTTP, those that keep the rules of headers.
 */
function usableOf(
  { headerRules, upstreamState, handshake }: ListCollectorParts,
  method: ListMethod,
  target: string,
): (entry: JsonObject) => boolean {
  const { transports } = upstreamState.memories.get(target) ?? {};
  const hasHeaders =
    handshake.version() === statelessVersion || transports?.get('streamable-http') === 'stateless-http';
  return method === 'tools/list' && hasHeaders ? (tool) => headerRules.isValid(target, tool) : () => true;
}

function exposeName(names: Names, name: QualifiedName): string {
  return names.exposeName(name);
}
