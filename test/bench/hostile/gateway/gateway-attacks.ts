import type { Attack } from '../programs/model.ts';
import { answerAttacks } from './answers.ts';
import { appPageAttacks } from './app-pages.ts';
import { bodyAttacks } from './bodies.ts';
import { connectionAttacks } from './connections.ts';
import { deliveryAttacks } from './deliveries.ts';
import { headerAttacks } from './headers.ts';
import { largeResultAttacks } from './large-results.ts';
import { pageAttacks } from './pages.ts';
import { requestAttacks } from './requests.ts';
import { sessionAttacks } from './sessions.ts';
import { statelessAttacks } from './stateless.ts';
import { targetAttacks } from './targets.ts';
import { tokenAttacks } from './tokens.ts';
import { unaskedAttacks } from './unasked.ts';

/** The attacks on the gateway, in the order of their rows. */
export const gatewayAttacks: readonly Attack[] = [
  ...headerAttacks,
  ...bodyAttacks,
  ...requestAttacks,
  ...answerAttacks,
  ...largeResultAttacks,
  ...deliveryAttacks,
  ...sessionAttacks,
  ...statelessAttacks,
  ...unaskedAttacks,
  ...connectionAttacks,
  ...pageAttacks,
  ...appPageAttacks,
  ...tokenAttacks,
  ...targetAttacks,
];
