import type { Attack } from '../programs/model.ts';
import { apiServerAttacks } from './api-server.ts';
import { dialectAttacks } from './dialect.ts';
import { folderAttacks } from './folders.ts';
import { frameAttacks } from './frames.ts';
import { healthAttacks } from './health.ts';
import { largeWorldAttacks } from './large-worlds.ts';
import { manifestAttacks } from './manifests.ts';
import { operatorAttacks } from './operators.ts';
import { securedAttacks } from './secured.ts';
import { streamAttacks } from './streams.ts';

/** The attacks on the control plane, in the order of their rows. */
export const serveAttacks: readonly Attack[] = [
  ...healthAttacks,
  ...operatorAttacks,
  ...streamAttacks,
  ...dialectAttacks,
  ...securedAttacks,
  ...manifestAttacks,
  ...folderAttacks,
  ...largeWorldAttacks,
  ...frameAttacks,
  ...apiServerAttacks,
];
