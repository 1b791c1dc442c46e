import type { AccessChange, Explainer, Grant } from './model.ts';
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
