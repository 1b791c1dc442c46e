import type { PlacesOf } from '../../debug/model.ts';
import { changedSigners, gainedAccess } from '../../explain/explain.ts';
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
  const gained = listed(gainedAccess(before.explainer, after.explainer), concerns);
  const lost = listed(gainedAccess(after.explainer, before.explainer), concerns);
  const signers = listed(changedSigners(before.explainer, after.explainer), concerns);
  return {
    widens: gained.total + signers.total > 0,
    signers,
    targets: listed(targetChanges(before, after), concerns),
    gained: { ...gained, listed: await placed(gained.listed, after.placesOf) },
    lost: { ...lost, listed: await placed(lost.listed, before.placesOf) },
  };
}

function listed<T>(changes: Iterable<T>, concerns: (change: T) => boolean): Listed<T> {
  const first: T[] = [];
  let total = 0;
  for (const change of changes) {
    if (!concerns(change)) continue;
    total += 1;
    if (first.length < mostListed) first.push(change);
  }
  return { listed: first, total };
}

/** Yields the changes of targets, by Gateway and name. */
function* targetChanges(before: OfflineWorld, after: OfflineWorld): Generator<TargetChange> {
  const gateways = new Set([...before.explainer.gateways(), ...after.explainer.gateways()]);
  for (const gateway of [...gateways].sort()) {
    const [old, now] = [new Set(before.explainer.targets(gateway)), new Set(after.explainer.targets(gateway))];
    for (const target of [...new Set([...old, ...now])].sort()) {
      const [was, is] = [
        old.has(target) ? addressOf(before, target) : undefined,
        now.has(target) ? addressOf(after, target) : undefined,
      ];
      if (was === is) continue;
      const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
      yield { gateway, change, target, before: was, after: is };
    }
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
