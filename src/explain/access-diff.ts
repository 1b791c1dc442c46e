import type { AccessChange, Explainer, Grant, SignerChange } from './model.ts';
import { targetOf } from './targets.ts';

/** The answers that two states of the world are compared by. */
export type ComparedWorld = Pick<Explainer, 'gateways' | 'targets' | 'grants'>;

/**
 * Yields the access that callers have after a change and had not before; with the two exchanged, what they lose. A rule
 * counts although the Gateway does not serve its target, since the target may appear later; and what a Gateway begins to
 * serve counts although its rules are the old ones. So nothing is missing that the rules and the targets together allow.
 */
export function* gainedAccess(before: ComparedWorld, after: ComparedWorld): Generator<AccessChange> {
  const earlier = new Set(before.gateways());
  for (const gateway of after.gateways()) {
    yield* gainedOn(gateway, earlier.has(gateway) ? before : nothing, after);
  }
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

const nothing: Pick<ComparedWorld, 'targets' | 'grants'> = { targets: () => [], grants: () => [] };

function* gainedOn(
  gateway: string,
  before: Pick<ComparedWorld, 'targets' | 'grants'>,
  after: ComparedWorld,
): Generator<AccessChange> {
  const known = new Set(before.grants(gateway, {}).map(keyOf));
  const served = new Set(before.targets(gateway));
  const newTargets = after.targets(gateway).filter((target) => !served.has(target));
  const told = new Set<string>();
  for (const by of after.grants(gateway, {})) {
    const { claim, value, kind, name } = by;
    if (told.has(keyOf(by))) continue;
    told.add(keyOf(by));
    const change = { gateway, claim, value, kind, name, by };
    const target = targetOf(name);
    if (!known.has(keyOf(by)) && !known.has(keyOf({ ...by, name: '*' }))) yield { ...change, targets: undefined };
    else if (name === '*' && newTargets.length > 0) yield { ...change, targets: newTargets };
    else if (target !== undefined && by.served && !served.has(target)) yield { ...change, targets: [target] };
  }
}

function keyOf({ claim, value, kind, name }: Pick<Grant, 'claim' | 'value' | 'kind' | 'name'>): string {
  return JSON.stringify([claim, value, kind, name]);
}
