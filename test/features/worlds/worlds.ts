import { filesWorlds } from './files.ts';
import { gatewaysWorlds } from './gateways.ts';
import { policiesWorlds } from './policies.ts';
import { targetsWorlds } from './targets.ts';
import type { World } from './world.ts';

/** Small worlds, derived from the specification of what manifests mean, clause by clause. */
export const worlds: readonly World[] = [...filesWorlds, ...gatewaysWorlds, ...targetsWorlds, ...policiesWorlds];
