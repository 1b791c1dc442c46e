import type { FreshWorld } from './fresh-world.ts';

/** Everything that a world lets anybody do: each target that a Gateway is shown, and each rule that it is given. */
export function grantsOf(world: FreshWorld): ReadonlySet<string> {
  const grants = new Set<string>();
  for (const gateway of world.gateways) {
    const { targets, configs } = world.resourcesOf(gateway);
    for (const [name, url] of Object.entries(targets)) grants.add(`${gateway} serves ${name} at ${url}`);
    for (const rule of Object.values(configs).flat()) grants.add(`${gateway} allows ${rule}`);
  }
  return grants;
}
