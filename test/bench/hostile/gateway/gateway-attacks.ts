import type { Attack } from '../programs/model.ts';
import { answerAttacks } from './answers.ts';
import { bodyAttacks } from './bodies.ts';
import { connectionAttacks } from './connections.ts';
import { deliveryAttacks } from './deliveries.ts';
import { headerAttacks } from './headers.ts';
import { sessionAttacks } from './sessions.ts';
import { targetAttacks } from './targets.ts';

/** The attacks on the gateway, in the order of the rows of issue 13. */
export const gatewayAttacks: readonly Attack[] = [
  ...headerAttacks,
  ...bodyAttacks,
  ...answerAttacks,
  ...deliveryAttacks,
  ...sessionAttacks,
  ...connectionAttacks,
  ...targetAttacks,
];
