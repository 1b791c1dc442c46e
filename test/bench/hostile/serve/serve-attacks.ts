import type { Attack } from '../programs/model.ts';
import { apiServerAttacks } from './api-server.ts';
import { healthAttacks } from './health.ts';
import { manifestAttacks } from './manifests.ts';
import { streamAttacks } from './streams.ts';

/** The attacks on the control plane, in the order of the rows of issue 13. */
export const serveAttacks: readonly Attack[] = [
  ...healthAttacks,
  ...streamAttacks,
  ...manifestAttacks,
  ...apiServerAttacks,
];
