import type { AccessChange, Explainer, Grant, SignerChange } from './model.ts';
import { targetOf } from './targets.ts';

/** The answers that two states of the world are compared by. */
export type ComparedWorld = Pick<Explainer, 'gateways' | 'targets' | 'grants' | 'rulesText'>;

/**
 * Yields the access that callers have after a change and had not before; with the two exchanged, what they lose. A rule
 * counts although the Gateway does not serve its target, since the target may appear later; and what a Gateway begins to
 * serve counts although its rules are the old ones. So nothing is missing that the rules and the targets together allow.
 * The rules of a Gateway are compared only when they or its targets changed; lists of targets that several Gateways share
 * are compared once.
 */
export function* gainedAccess(before: ComparedWorld, after: ComparedWorld): Generator<AccessChange> {
  const earlier = new Set(before.gateways());
  const newTargets = oncePerPair((old: readonly string[], now: readonly string[]) => {
    const served = new Set(old);
    return new Set(now.filter((target) => !served.has(target)));
  });
  for (const gateway of after.gateways()) {
    const known = earlier.has(gateway) ? before : nothing;
    const added = newTargets(known.targets(gateway), after.targets(gateway));
    if (added.size === 0 && known.rulesText(gateway) === after.rulesText(gateway)) continue;
    yield* gainedOn(gateway, known, after, added);
  }
}

/** Computes a result once for each pair of lists, compared by identity. */
export function oncePerPair<T extends object, R>(compute: (before: T, after: T) => R): (before: T, after: T) => R {
  const results = new Map<T, Map<T, { readonly result: R }>>();
  return (before, after) => {
    const known = results.get(before) ?? new Map<T, { readonly result: R }>();
    results.set(before, known);
    const found = known.get(after) ?? { result: compute(before, after) };
    known.set(after, found);
    return found.result;
  };
}

/**
 * Yields the Gateways for which other signers may count after a change: whatever differs in what policies say of them, in
 * any direction, since keys behind an address are not known here. Policies that no longer say anything accept nobody.
 */
export function* changedSigners(
  before: Pick<Explainer, 'signers'>,
  after: Pick<Explainer, 'signers'>,
): Generator<SignerChange> {
  const old = before.signers();
  for (const [gateway, { fingerprint, issuers }] of after.signers()) {
    if (old.get(gateway)?.fingerprint !== fingerprint) yield { gateway, issuers };
  }
}

type KnownWorld = Pick<ComparedWorld, 'targets' | 'grants' | 'rulesText'>;

const none: readonly string[] = [];
const nothing: KnownWorld = { targets: () => none, grants: () => [], rulesText: () => '' };

/** @param added the targets that the Gateway did not serve before */
function* gainedOn(
  gateway: string,
  before: KnownWorld,
  after: ComparedWorld,
  added: ReadonlySet<string>,
): Generator<AccessChange> {
  const known = new Set(before.grants(gateway, {}).map(keyOf));
  const told = new Set<string>();
  for (const by of after.grants(gateway, {})) {
    const { claim, value, kind, name } = by;
    if (told.has(keyOf(by))) continue;
    told.add(keyOf(by));
    const change = { gateway, claim, value, kind, name, by };
    const target = targetOf(name);
    if (!known.has(keyOf(by)) && !known.has(keyOf({ ...by, name: '*' }))) yield { ...change, targets: undefined };
    else if (name === '*' && added.size > 0) yield { ...change, targets: [...added] };
    else if (target !== undefined && by.served && added.has(target)) yield { ...change, targets: [target] };
  }
}

function keyOf({ claim, value, kind, name }: Pick<Grant, 'claim' | 'value' | 'kind' | 'name'>): string {
  return JSON.stringify([claim, value, kind, name]);
}
