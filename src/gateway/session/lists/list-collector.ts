import type { PrimitiveKind } from '../../../authz/model.ts';
import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import { callerKey } from '../../callers.ts';
import { statelessVersion } from '../../rpc/protocol.ts';
import { changed } from '../../rpc/source-text.ts';
import type { Authorization } from '../decisions/authorization.ts';
import { type Freshness, joinFreshness, notKept } from '../freshness.ts';
import type { Client } from '../model.ts';
import type { NamedKind } from '../names/name-index.ts';
import type { Names } from '../names/names.ts';
import type { QualifiedName } from '../names/qualified-names.ts';
import { type UiOwners, withoutForeignPages } from '../names/ui-owners.ts';
import type { UpstreamState } from '../upstream-sessions.ts';
import type { HeaderRules } from './header-rules.ts';
import type { TargetMeta } from './list-meta.ts';
import { type ListMethod, listFreshnessOf, listMetaOf } from './list-pages.ts';
import { createListReader, type ListReaderParts, type ListRequest, type TargetList } from './list-reader.ts';

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

/** One entry of a merged list. */
export interface ListEntry {
  readonly target: string;
  /** The name or URI at the target. */
  readonly name: string;
  /** The name or URI for clients. */
  readonly exposed: string;
  /** The entry with its exposed name or URI. */
  readonly json: JsonObject;
}

/** The entries of a list, which hold a part of the budget of all targets until they are released. */
interface CollectedEntries extends Disposable {
  readonly entries: readonly ListEntry[];
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
   * Collects the entries of these targets, in the order of the targets' names by bytes. Resolves in the turn of the
   * caller to make and serialize the merged list. Empty when the request was aborted.
   */
  collect(method: ListMethod, request: ListRequest, targets: readonly string[]): Promise<CollectedEntries>;
  /** Tells the client to ask again, if it was given this list without the target, which answers now. */
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
  /** The targets that the last list of each kind was given without. */
  const missed = new Map<ListMethod, Set<string>>();

  const readLists = createListReader(parts, (target, method) => missed.get(method)?.delete(target));

  return {
    async collect(method, request, targets) {
      missed.set(method, new Set(targets));
      const held = await shared.turns.toBegin(callerKey(request.caller), method);
      const reading = readLists(method, request, targets);
      const dispose = (): void => {
        reading.release();
        held[Symbol.dispose]();
      };
      try {
        const { lists, bytes } = await reading.done;
        if (!request.signal.aborted) held.read(bytes);
        const entries = await mergeLists(parts, method, request, lists);
        const listed = new Set(lists.map(({ target }) => target));
        const missing = targets.filter((target) => !listed.has(target));
        const freshness =
          missing.length > 0 ? notKept : joinFreshness(lists.map(({ found }) => listFreshnessOf(found)));
        const metas = lists.flatMap(({ target, found }) => {
          const meta = listMetaOf(found);
          return meta === undefined ? [] : [{ target, meta }];
        });
        return { entries, missing, freshness, metas, [Symbol.dispose]: dispose };
      } catch (error) {
        dispose();
        throw error;
      }
    },
    recovered(target, method) {
      if (missed.get(method)?.delete(target) !== true) return;
      client.notify({ method: listKinds[method].changed }, (caller) => authorization.seesAnythingOf(target, caller));
    },
  };
}

/** Takes a turn for each few thousand entries, also of one target, and another one before many are serialized. */
async function mergeLists(
  parts: ListCollectorParts,
  method: ListMethod,
  { signal, caller }: ListRequest,
  lists: readonly TargetList[],
): Promise<readonly ListEntry[]> {
  const { shared, upstreams, uiOwners, names } = parts;
  const entries: ListEntry[] = [];
  let sinceTurn = Number.POSITIVE_INFINITY;
  const takeTurn = async (count: number): Promise<void> => {
    sinceTurn += count;
    if (sinceTurn <= entriesPerTurn) return;
    await shared.turns.toSerialize(callerKey(caller));
    sinceTurn = count;
  };
  for (const { target, found } of lists) {
    const own: ListEntry[] = [];
    const usable = usableOf(parts, method, target);
    for (let from = 0; from === 0 || from < found.length; from += entriesPerTurn) {
      const some = found.slice(from, from + entriesPerTurn);
      await takeTurn(some.length);
      if (signal.aborted) return [];
      own.push(...usable(some).flatMap((entry) => listEntry(names, target, listKinds[method], entry)));
    }
    // What is kept of a target that was removed meanwhile would be forgotten by nobody.
    if (!upstreams.isTarget(target)) continue;
    if (method === 'tools/list') uiOwners.toolsListed(target, found);
    const listed = withoutDuplicates(own);
    const { named } = listKinds[method];
    if (named !== undefined)
      names.index.listed(
        named,
        target,
        listed.map(({ name }) => name),
      );
    entries.push(...listed);
  }
  if (entries.length > entriesPerTurn) await takeTurn(entries.length);
  return method === 'resources/list' ? withoutForeignPages(entries, uiOwners) : entries;
}

/**
 * Returns the function that leaves out what a client must not use: of tools, where the client or the gateway itself
 * speaks MCP 2026-07-28 over HTTP, those that break the rules of headers.
 */
function usableOf(
  { headerRules, upstreamState, handshake }: ListCollectorParts,
  method: ListMethod,
  target: string,
): (found: readonly unknown[]) => readonly unknown[] {
  const { transports } = upstreamState.memories.get(target) ?? {};
  const hasHeaders =
    handshake.version() === statelessVersion || transports?.get('streamable-http') === 'stateless-http';
  return method === 'tools/list' && hasHeaders ? (found) => headerRules.keepValid(target, found) : (found) => found;
}

/** Takes about 20 ms. */
const entriesPerTurn = 2_500;

/** Characters of a name or URI in a list, whose encoding takes time; entries with longer ones are left out. */
const maxNameLength = 8 * 1024;

function listEntry(names: Names, target: string, kind: ListKind, json: unknown): ListEntry[] {
  const name = isJsonObject(json) ? json[kind.key] : undefined;
  if (!isJsonObject(json) || typeof name !== 'string' || name === '' || name.length > maxNameLength) return [];
  const exposed = kind.expose(names, { target, name });
  return exposed === undefined
    ? []
    : [{ target, name, exposed, json: changed(json, [{ path: [kind.key], value: exposed }]) }];
}

/** Keeps the first entry of each exposed name of a target. */
function withoutDuplicates(entries: readonly ListEntry[]): readonly ListEntry[] {
  const seen = new Set<string>();
  return entries.filter(({ exposed }) => !seen.has(exposed) && seen.add(exposed));
}

function exposeName(names: Names, name: QualifiedName): string {
  return names.exposeName(name);
}
