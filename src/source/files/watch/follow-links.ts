import type { BigIntStats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, sep } from 'node:path';
import { codeOrReason, isNotFound } from '../../../net/errors.ts';

/** A directory entry that a path resolves through: when it is replaced, the path may resolve differently. */
export interface LinkEntry {
  readonly folder: string;
  readonly name: string;
}

/** The target of a path with all links followed, and the entries on which that depends. */
export type Resolution =
  | {
      readonly end: 'found';
      readonly realPath: string;
      readonly stats: BigIntStats;
      readonly entries: readonly LinkEntry[];
    }
  | { readonly end: 'absent'; readonly entries: readonly LinkEntry[] }
  /** `code` is that of the operating system, such as EACCES. */
  | { readonly end: 'failed'; readonly code: string; readonly entries: readonly LinkEntry[] };

/** As many links as Linux follows. */
const maxLinks = 40;

/**
 * Parts of all names that are looked at: forty links with long targets would have 80,000, for each entry of a folder. A
 * change waits for the eight entries that are looked at, 15 µs for each part.
 */
const maxParts = 250;

/**
 * Resolves a path link by link. A mounted ConfigMap needs each of them: `file.yaml` is a link to `..data/file.yaml`,
 * and `..data` a link to the folder of one version, which is replaced by an update.
 *
 * @param folder absolute and without links
 * @param path relative to the folder, or absolute
 */
export async function followLinks(folder: string, path: string): Promise<Resolution> {
  const entries: LinkEntry[] = [];
  /** The links whose targets are being walked, each with the number of names that follow its own. */
  const open = new Map<string, number>();
  let at = start(folder, path);
  /** The next one last. */
  const names = split(path).reverse();
  let parts = 0;
  let stats: BigIntStats | undefined;
  try {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      parts += 1;
      if (parts > maxParts) return { end: 'failed', code: 'ENAMETOOLONG', entries };
      if (name === '..') {
        at = dirname(at);
        stats = undefined;
        continue;
      }
      const next = join(at, name);
      for (const [link, left] of open) if (names.length < left) open.delete(link);
      if (open.has(next)) return { end: 'failed', code: 'ELOOP', entries };
      entries.push({ folder: at, name });
      stats = await lstat(next, { bigint: true });
      if (stats.isSymbolicLink()) {
        if (entries.length > maxLinks) return { end: 'failed', code: 'ELOOP', entries };
        open.set(next, names.length);
        const target = await readlink(next);
        at = start(at, target);
        names.push(...split(target).reverse());
        stats = undefined;
      } else {
        // An entry that is no link matters only at the end of the path.
        entries.pop();
        at = next;
      }
    }
    stats ??= await lstat(at, { bigint: true });
  } catch (error) {
    return isNotFound(error) ? { end: 'absent', entries } : { end: 'failed', code: codeOrReason(error), entries };
  }
  entries.push({ folder: dirname(at), name: basename(at) });
  return { end: 'found', realPath: at, stats, entries };
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

/**
 * The link that Kubernetes replaces when it updates a mounted volume. It leads to a folder that is complete by then; what
 * other links lead to may still be written.
 */
export const isMountedVersion = ({ name }: LinkEntry): boolean => name === '..data';
