import { gatewayAttacks } from '../gateway/gateway-attacks.ts';
import { serveAttacks } from '../serve/serve-attacks.ts';
import type { Attack } from './model.ts';

/** All attacks on whole programs, in the order in which they are run and printed. */
export const programAttacks: readonly Attack[] = [...gatewayAttacks, ...serveAttacks];
