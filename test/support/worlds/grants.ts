import type { FreshWorld } from './fresh-world.ts';

/** All grants of a world: each target and each rule of each Gateway. */
export function grantsOf(world: FreshWorld): ReadonlySet<string> {
  const grants = new Set<string>();
  for (const gateway of world.gateways) {
    const { targets, configs } = world.resourcesOf(gateway);
    for (const [name, url] of Object.entries(targets)) grants.add(`${gateway} serves ${name} at ${url}`);
    for (const rule of Object.values(configs).flat()) grants.add(`${gateway} allows ${rule}`);
  }
  return grants;
}
