import type { Attack } from '../programs/model.ts';
import { apiServerAttacks } from './api-server.ts';
import { dialectAttacks } from './dialect.ts';
import { folderAttacks } from './folders.ts';
import { frameAttacks } from './frames.ts';
import { halfWrittenAttacks } from './half-written.ts';
import { healthAttacks } from './health.ts';
import { largeWorldAttacks } from './large-worlds.ts';
import { localNameAttacks } from './local-names.ts';
import { manifestAttacks } from './manifests.ts';
import { operatorAttacks } from './operators.ts';
import { outageAttacks } from './outages.ts';
import { securedAttacks } from './secured.ts';
import { streamAttacks } from './streams.ts';

/** The attacks on the control plane, in the order of their rows. */
export const serveAttacks: readonly Attack[] = [
  ...halfWrittenAttacks,
  ...healthAttacks,
  ...operatorAttacks,
  ...streamAttacks,
  ...dialectAttacks,
  ...securedAttacks,
  ...manifestAttacks,
  ...localNameAttacks,
  ...folderAttacks,
  ...largeWorldAttacks,
  ...frameAttacks,
  ...apiServerAttacks,
  ...outageAttacks,
];
