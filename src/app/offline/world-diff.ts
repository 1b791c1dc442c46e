import type { PlacesOf } from '../../debug/model.ts';
import { type ComparedWorld, changedSigners, gainedAccess, oncePerPair } from '../../explain/explain.ts';
import type { AccessChange, Placed, SignerChange } from '../../explain/model.ts';
import type { Target } from '../../translate/model.ts';
import type { OfflineWorld } from './offline.ts';

/** A target that a Gateway serves differently after a change. */
export interface TargetChange {
  readonly gateway: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly target: string;
  /** Host, port and path; undefined for an added target. */
  readonly before: string | undefined;
  /** Undefined for a removed target. */
  readonly after: string | undefined;
}

/** A list of which only the first entries are kept. */
export interface Listed<T> {
  readonly listed: readonly T[];
  readonly total: number;
}

/** What a change of the objects does. */
export interface WorldDiff {
  /** Whether anybody has, or may have, more access than before. */
  readonly widens: boolean;
  readonly targets: Listed<TargetChange>;
  /** Of it, each place is one after the change. */
  readonly gained: Listed<Placed<AccessChange>>;
  /** Of it, each place is one before the change. */
  readonly lost: Listed<Placed<AccessChange>>;
  /** Gateways whose policies say otherwise who may sign tokens. */
  readonly signers: Listed<SignerChange>;
}

/** Changes of each kind that are listed; all are counted. */
const mostListed = 1000;

/**
 * Compares two worlds.
 *
 * @param gateway `<namespace>/<name>`: of this Gateway only
 */
export async function worldDiff(before: OfflineWorld, after: OfflineWorld, gateway?: string): Promise<WorldDiff> {
  const concerns = (change: { readonly gateway: string }): boolean =>
    gateway === undefined || change.gateway === gateway;
  const [old, now] = [compared(before, concerns), compared(after, concerns)];
  const gained = listed(gainedAccess(old, now));
  const lost = listed(gainedAccess(now, old));
  const signers = listed([...changedSigners(before.explainer, after.explainer)].filter(concerns));
  return {
    widens: gained.total + signers.total > 0,
    signers,
    targets: listed(targetChanges([before, old], [after, now])),
    gained: { ...gained, listed: await placed(gained.listed, after.placesOf) },
    lost: { ...lost, listed: await placed(lost.listed, before.placesOf) },
  };
}

/** A world in which Gateways with the same scope share one list of targets. */
function compared(
  { explainer, translation }: OfflineWorld,
  concerns: (change: { readonly gateway: string }) => boolean,
): ComparedWorld {
  const byScope = new Map<string, readonly string[]>();
  return {
    ...explainer,
    gateways: () => explainer.gateways().filter((gateway) => concerns({ gateway })),
    targets: (gateway) => {
      const state = translation.gateways.get(gateway);
      const scope = state?.kind === 'served' ? JSON.stringify(state.scope) : '';
      const targets = byScope.get(scope) ?? explainer.targets(gateway);
      byScope.set(scope, targets);
      return targets;
    },
  };
}

function listed<T>(changes: Iterable<T>): Listed<T> {
  const first: T[] = [];
  let total = 0;
  for (const change of changes) {
    total += 1;
    if (first.length < mostListed) first.push(change);
  }
  return { listed: first, total };
}

/** Yields the changes of targets, by Gateway and name. */
function* targetChanges(
  [before, old]: readonly [OfflineWorld, ComparedWorld],
  [after, now]: readonly [OfflineWorld, ComparedWorld],
): Generator<TargetChange> {
  const changesOf = oncePerPair((was: readonly string[], is: readonly string[]) => [
    ...changedTargets([before, new Set(was)], [after, new Set(is)]),
  ]);
  for (const gateway of [...new Set([...old.gateways(), ...now.gateways()])].sort()) {
    for (const change of changesOf(old.targets(gateway), now.targets(gateway))) yield { gateway, ...change };
  }
}

function* changedTargets(
  [before, old]: readonly [OfflineWorld, ReadonlySet<string>],
  [after, now]: readonly [OfflineWorld, ReadonlySet<string>],
): Generator<Omit<TargetChange, 'gateway'>> {
  for (const target of [...new Set([...old, ...now])].sort()) {
    const was = old.has(target) ? addressOf(before, target) : undefined;
    const is = now.has(target) ? addressOf(after, target) : undefined;
    if (was === is) continue;
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    yield { change, target, before: was, after: is };
  }
}

function addressOf({ translation }: OfflineWorld, name: string): string | undefined {
  const target: Target | undefined = translation.targets.get(name);
  return target && `${target.host}:${target.port}${target.path}`;
}

async function placed(changes: readonly AccessChange[], placesOf: PlacesOf): Promise<readonly Placed<AccessChange>[]> {
  const places = await placesOf(
    changes.map(({ by: { policy, rule, match } }) => ({
      kind: 'MCPAuthPolicy',
      key: policy,
      path: ['spec', 'rules', rule, 'matches', match],
    })),
  );
  return changes.map((change, at) => ({ ...change, place: places[at] }));
}
