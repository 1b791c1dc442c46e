import type { Dirent } from 'node:fs';
import { open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../../json/quoted.ts';
import { isManifestName, isOtherPrograms } from './list-folder.ts';

/** Folders and files that are looked at: `.` may be the folder of everything that somebody has. */
export const mostFolders = 100;
const mostFiles = 100;
/** Entries of all these folders: one of them may have millions. */
const mostEntries = 10_000;

/** Bytes of a file that are looked at: manifests begin with their kind and version. */
const head = 4_096;

/** Folders that a message names. */
const mostNamed = 3;

/** A line that only a manifest has, in YAML or JSON. */
const version = /^\s{0,8}\{?\s{0,8}"?apiVersion"?\s{0,8}:/m;

/**
 * Says which folders below a folder have manifests, since these are not read: as of `kubectl apply -f` without
 * `--recursive`. Looks at a bounded number of folders and of beginnings of files. Undefined: none has.
 *
 * @param within the names of the folders in it
 */
export async function unreadSubfolders(folder: string, within: readonly string[]): Promise<string | undefined> {
  const found: string[] = [];
  const waiting = [...within];
  let [folders, files, entries] = [0, 0, 0];
  for (let below = waiting.shift(); below !== undefined && folders < mostFolders; below = waiting.shift()) {
    folders += 1;
    let has = false;
    for await (const entry of entriesOf(join(folder, below))) {
      entries += 1;
      if (entries > mostEntries) break;
      const path = `${below}/${entry.name}`;
      if (entry.isDirectory() && !isOtherPrograms(entry.name)) waiting.push(path);
      if (has || files >= mostFiles || !entry.isFile() || !isManifestName(entry.name)) continue;
      files += 1;
      has = version.test(await beginning(join(folder, path)));
    }
    if (has) found.push(below);
  }
  if (found.length === 0) return undefined;
  const more = found.length > mostNamed ? `, and ${found.length - mostNamed} more` : '';
  const names = found.toSorted().slice(0, mostNamed).map(quoted).join(', ');
  return `Folders within this one are not read, and there are manifests in ${names}${more}: name each folder that is to be read.`;
}

/** Yields the entries as they are read; none of a folder that cannot be. */
async function* entriesOf(folder: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(folder);
  } catch {
    // It was removed, or is not for this user.
  }
}

async function beginning(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(head) });
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}
