import type { AccessRequest } from '../../../authz/model.ts';
import type { Clock } from '../../../edges.ts';
import type { JsonObject } from '../../../json/json.ts';
import { callerKey, isCurrent } from '../../callers.ts';
import type { Caller, GatewayConfig } from '../../model.ts';
import { ListWriter, listOf, withMember } from '../../rpc/source-text.ts';
import { type AnswerBudget, largeResult } from '../../upstream/answer-limits.ts';
import type { Authorization } from '../decisions/authorization.ts';
import type { Names } from '../names/names.ts';
import { qualify } from '../names/qualified-names.ts';
import type { CollectedEntries, ListEntry, ListKind } from './list-collector.ts';
import type { TargetMeta } from './list-meta.ts';

/** What decides about the entries of a list. */
export interface VisibleEntriesParts {
  readonly authorization: Pick<Authorization, 'isVisible'>;
  readonly names: Pick<Names, 'distinct'>;
  readonly config: Pick<GatewayConfig, 'rules' | 'targets'>;
  readonly clock: Clock;
  readonly shared: { readonly budget: Pick<AnswerBudget, 'turns'> };
}

/** What the caller may see of a list. */
interface VisibleEntries {
  readonly shown: readonly ListEntry[];
  /** The same as clients get it. */
  readonly list: readonly JsonObject[];
}

/**
 * Returns the entries that the caller may see, as clients get them. They are decided on in turns, and once more at the
 * end when rules, targets or token are others by then: what is delivered is decided when it is delivered.
 */
export async function visibleEntries(
  { authorization, names, config, clock, shared }: VisibleEntriesParts,
  kind: ListKind,
  caller: Caller,
  { entries, work }: Pick<CollectedEntries, 'entries' | 'work'>,
): Promise<VisibleEntries> {
  const { rules } = config;
  const targets = new Set<string>();
  const isVisible = (entry: ListEntry): boolean => authorization.isVisible(useOf(kind, entry), caller);
  const visible: ListEntry[] = [];
  /** How many have a name, where several targets may have the same one. */
  const named = new Map<string, number>();
  await work.forEach(entries, (entry) => {
    if (!isVisible(entry)) return 0;
    visible.push(entry);
    targets.add(entry.target);
    if (kind.named !== undefined) named.set(entry.exposed, (named.get(entry.exposed) ?? 0) + 1);
    return 0;
  });
  const exposed: ListEntry[] = [];
  const writer = new ListWriter();
  let length = 0;
  await work.forEach(visible, (entry) => {
    const isAlone = (named.get(entry.exposed) ?? 1) === 1;
    const name = isAlone ? entry.exposed : names.distinct(entry);
    // Also where it is the same: a member that occurs twice is written once.
    const written = withMember(entry, kind.key, name);
    exposed.push({ ...entry, ...written, exposed: name });
    writer.add(written);
    const characters = written.text?.length ?? 0;
    length += characters;
    return characters;
  });
  if (length > largeResult) await shared.budget.turns.next(callerKey(caller));
  const areThere = [...targets].every((target) => config.targets.has(target));
  if (areThere && config.rules === rules && isCurrent(caller, clock)) return { shown: exposed, list: writer.list() };
  const shown = exposed.filter((entry) => config.targets.has(entry.target) && isVisible(entry));
  return { shown, list: listOf(shown) };
}

/** What a target says of its list may be about any entry: it is for those who see all of them. */
export function shownMetas({ metas, entries }: CollectedEntries, shown: readonly ListEntry[]): readonly TargetMeta[] {
  if (metas.length === 0 || shown.length === entries.length) return metas;
  const all = countByTarget(entries);
  const counts = countByTarget(shown);
  return metas.filter(({ target }) => all.get(target) === counts.get(target));
}

function countByTarget(entries: readonly ListEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { target } of entries) counts.set(target, (counts.get(target) ?? 0) + 1);
  return counts;
}

function useOf(kind: ListKind, { target, name }: ListEntry): AccessRequest {
  return { kind: kind.use, name: qualify({ target, name }) };
}
