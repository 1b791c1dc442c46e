import type { PrimitiveKind } from '../../../authz/model.ts';
import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import { untilAborted, within } from '../../../net/deadline.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import { changed } from '../../rpc/source-text.ts';
import { AnswerLimitError } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import type { TargetFailures } from '../../upstream/target-failures.ts';
import type { TargetHealth } from '../../upstream/target-health.ts';
import type { Authorization } from '../authorization.ts';
import { type Freshness, joinFreshness, notKept } from '../freshness.ts';
import type { Client, SessionParts } from '../model.ts';
import type { NamedKind } from '../names/name-index.ts';
import type { Names } from '../names/names.ts';
import type { QualifiedName } from '../names/qualified-names.ts';
import { type UiOwners, withoutForeignPages } from '../names/ui-owners.ts';
import type { UpstreamSessions } from '../upstream-sessions.ts';
import { type ListMethod, type ListQuery, listFreshnessOf, listTimeout, pagedLists, readPages } from './list-pages.ts';
import { splitByRoom, type TargetList } from './merged-list.ts';
import type { SharedListing } from './shared-listing.ts';

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

/**
 * The targets at which the caller may use something, whose lists are asked for in the session of the client: what its
 * calls have changed there is visible to it. Lists of other targets need no session.
 */
type Reachable = ReturnType<Authorization['reachable']>;

/** The entries of a list, which hold a part of the budget of all targets until they are released. */
interface CollectedEntries extends Disposable {
  readonly entries: readonly ListEntry[];
  /** The targets that are left out, because they fail or did not respond in time. */
  readonly missing: readonly string[];
  /** How long the list may be kept; not at all without a target. */
  readonly freshness: Freshness;
}

/** A list that a client asks for. */
interface ListRequest extends ListQuery {
  readonly reachable: Reachable;
  /** Whose turn it takes; see {@link ListTurns}. */
  readonly caller: Caller;
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
export interface ListCollectorParts {
  readonly clock: SessionParts['clock'];
  readonly upstreams: UpstreamSessions;
  readonly shared: SharedListing;
  readonly health: TargetHealth<ListMethod>;
  readonly failures: TargetFailures;
  readonly client: Client;
  readonly authorization: Authorization;
  readonly uiOwners: UiOwners;
  readonly names: Names;
}

/**
 * Asks all targets at the same time, and leaves out those that fail, or that did not respond within {@link listTimeout}
 * before.
 */
export function createListCollector(parts: ListCollectorParts): ListCollector {
  const { clock, upstreams, shared, health, client, authorization } = parts;
  /** The targets that the last list of each kind was given without. */
  const missed = new Map<ListMethod, Set<string>>();

  const readOne = (
    target: string,
    method: ListMethod,
    request: ListRequest,
    lease: BudgetLease,
  ): Promise<readonly unknown[]> => {
    const { params, signal } = request;
    const upstream = isReachable(request, target) ? upstreams.get(target) : upstreams.opened(target);
    if (upstream === undefined) return untilAborted(signal, shared.read(target, method));
    const limit = { clock, milliseconds: listTimeout, signal };
    return within(limit, (until) => readPages(upstream, pagedLists[method], { params, signal: until }, lease));
  };

  /** Returns `undefined` when the list has to do without the target. */
  const tryOne = async (
    target: string,
    method: ListMethod,
    request: ListRequest,
    lease: BudgetLease,
  ): Promise<readonly unknown[] | undefined> => {
    if (request.signal.aborted) return [];
    if (health.isLeftOut(target, method)) return undefined;
    try {
      const found = await readOne(target, method, request, lease);
      missed.get(method)?.delete(target);
      health.listed(target, method);
      return found;
    } catch (error) {
      if (request.signal.aborted || !upstreams.isTarget(target)) return [];
      health.failed(target, method, error);
      return undefined;
    }
  };

  return {
    async collect(method, request, targets) {
      missed.set(method, new Set(targets));
      const leases = targets.map((target) => new BudgetLease({ budget: shared.budget, target }));
      const key = callerKey(request.caller);
      const read = async (lease: BudgetLease, index: number): Promise<readonly TargetList[]> => {
        const target = targets[index] ?? '';
        const found = await tryOne(target, method, request, lease);
        return found === undefined ? [] : [{ target, found }];
      };
      const own = targets.filter((target) => isReachable(request, target)).length;
      const release = await shared.turns.toRead(key, { own, shared: targets.length - own });
      const lists = (await Promise.all(leases.map(read)).finally(release)).flat();
      const { entries, merged } = await mergeLists(parts, method, request, lists);
      const missing = targets.filter((target) => !merged.has(target));
      return {
        entries,
        missing,
        freshness: missing.length > 0 ? notKept : joinFreshness(lists.map(({ found }) => listFreshnessOf(found))),
        [Symbol.dispose]() {
          for (const lease of leases) lease.release();
        },
      };
    },
    recovered(target, method) {
      if (missed.get(method)?.delete(target) !== true) return;
      client.notify({ method: listKinds[method].changed }, (caller) => authorization.seesAnythingOf(target, caller));
    },
  };
}

/** Takes a turn for each few thousand entries, also of one target, and another one before many are serialized. */
async function mergeLists(
  { shared, failures, uiOwners, names }: ListCollectorParts,
  method: ListMethod,
  { signal, caller }: ListRequest,
  lists: readonly TargetList[],
): Promise<{ readonly entries: readonly ListEntry[]; readonly merged: ReadonlySet<string> }> {
  const { merged, leftOut } = splitByRoom(lists);
  const error = new AnswerLimitError('the lists of all targets together are too large, and its own is of the largest');
  for (const target of leftOut) failures.failed(target, method, error);
  const entries: ListEntry[] = [];
  const targets = new Set(merged.map(({ target }) => target));
  let sinceTurn = Number.POSITIVE_INFINITY;
  const takeTurn = async (count: number): Promise<void> => {
    sinceTurn += count;
    if (sinceTurn <= entriesPerTurn) return;
    await shared.turns.toSerialize(callerKey(caller));
    sinceTurn = count;
  };
  for (const { target, found } of merged) {
    const own: ListEntry[] = [];
    for (let from = 0; from === 0 || from < found.length; from += entriesPerTurn) {
      const some = found.slice(from, from + entriesPerTurn);
      await takeTurn(some.length);
      if (signal.aborted) return { entries: [], merged: targets };
      own.push(...some.flatMap((entry) => listEntry(names, target, listKinds[method], entry)));
    }
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
  return { entries: method === 'resources/list' ? withoutForeignPages(entries, uiOwners) : entries, merged: targets };
}

/** Takes about 20 ms. */
const entriesPerTurn = 2_500;

function isReachable({ reachable }: ListRequest, target: string): boolean {
  return reachable === 'all' || reachable.has(target);
}

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
