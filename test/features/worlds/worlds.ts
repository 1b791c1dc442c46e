import { filesWorlds } from './files.ts';
import { gatewaysWorlds } from './gateways.ts';
import { policiesWorlds } from './policies.ts';
import { targetsWorlds } from './targets.ts';
import type { World } from './world.ts';

/** Small sets of manifests, one for each clause of the specification. */
export const worlds: readonly World[] = [...filesWorlds, ...gatewaysWorlds, ...targetsWorlds, ...policiesWorlds];
