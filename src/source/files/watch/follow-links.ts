import type { BigIntStats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, sep } from 'node:path';
import { errorCode, isAbsent } from './fs-error.ts';

/** A name in a folder that decides where a path leads: when it is replaced, the path may lead elsewhere. */
export interface Waypoint {
  readonly folder: string;
  readonly name: string;
}

/** Where a path leads, all links followed, and on what that depends. */
export type Trail =
  | {
      readonly end: 'found';
      readonly realPath: string;
      readonly stats: BigIntStats;
      readonly waypoints: readonly Waypoint[];
    }
  | { readonly end: 'absent'; readonly waypoints: readonly Waypoint[] }
  /** `code` is that of the operating system, such as EACCES. */
  | { readonly end: 'failed'; readonly code: string; readonly waypoints: readonly Waypoint[] };

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * Follows every link in a path. A mounted ConfigMap is why each link counts: `file.yaml` leads to `..data/file.yaml`,
 * and `..data`, which is swapped, to the folder of one version.
 *
 * @param folder absolute and without links
 * @param path relative to the folder, or absolute
 */
export async function followLinks(folder: string, path: string): Promise<Trail> {
  const waypoints: Waypoint[] = [];
  let at = start(folder, path);
  let names = split(path);
  let stats: BigIntStats | undefined;
  try {
    for (let [name, ...rest] = names; name !== undefined; [name, ...rest] = names) {
      names = rest;
      if (name === '..') {
        at = dirname(at);
        stats = undefined;
        continue;
      }
      waypoints.push({ folder: at, name });
      const next = join(at, name);
      stats = await lstat(next, { bigint: true });
      if (stats.isSymbolicLink()) {
        if (waypoints.length > MOST_LINKS) return { end: 'failed', code: 'ELOOP', waypoints };
        const target = await readlink(next);
        at = start(at, target);
        names = [...split(target), ...rest];
        stats = undefined;
      } else {
        // What is no link is watched only as the end of the path.
        waypoints.pop();
        at = next;
      }
    }
    stats ??= await lstat(at, { bigint: true });
  } catch (error) {
    return isAbsent(error) ? { end: 'absent', waypoints } : { end: 'failed', code: errorCode(error), waypoints };
  }
  waypoints.push({ folder: dirname(at), name: basename(at) });
  return { end: 'found', realPath: at, stats, waypoints };
}

function start(folder: string, path: string): string {
  return isAbsolute(path) ? parse(path).root : folder;
}

function split(path: string): string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((name) => name !== '' && name !== '.');
}
