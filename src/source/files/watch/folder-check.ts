import { followLinks } from './follow-links.ts';
import { isUnnameable } from './list-folder.ts';
import { type Fingerprint, fingerprintOf } from './read-file.ts';

/** What is known of an entry of a folder. */
export interface KnownEntry {
  /** Undefined: it is to be looked at again. */
  readonly fingerprint: Fingerprint | undefined;
  /** Undefined: wherever it leads. */
  readonly realPath: string | undefined;
}

/** Looks for changes in a folder that no event told. */
export interface FolderCheck {
  readonly folder: string;
  /** As they are listed now. */
  readonly names: readonly string[];
  /** What is known; undefined for an entry without content. */
  readonly known: (name: string) => KnownEntry | undefined;
  /** Returns whether an entry, with or without content, was seen before. */
  readonly wasSeen: (name: string) => boolean;
  /** Counts an entry that is looked at. */
  readonly looked: () => void;
}

/** Files that are looked at concurrently: scans go on beside it. */
const concurrency = 2;

/** Returns the entries that are not as they are known. Reads nothing. */
export async function changedEntries(check: FolderCheck): Promise<ReadonlySet<string>> {
  const changed = new Set<string>();
  const rest = check.names.values();
  const run = async (): Promise<void> => {
    for (const name of rest) if (await hasChanged(name, check)) changed.add(name);
  };
  await Promise.all(Array.from({ length: concurrency }, run));
  return changed;
}

/** What identifies the state of an entry that no path leads to: as long as it fails alike, it is not scanned again. */
export function failureOf({ code }: { readonly code: string }): Fingerprint {
  return `failed:${code}`;
}

async function hasChanged(name: string, { folder, known, wasSeen, looked }: FolderCheck): Promise<boolean> {
  looked();
  const before = known(name);
  if (isUnnameable(name)) return before === undefined;
  const resolution = await followLinks(folder, name);
  if (resolution.end === 'absent') return before !== undefined || !wasSeen(name);
  if (before === undefined) return true;
  if (resolution.end === 'failed') return before.fingerprint !== failureOf(resolution);
  if (before.fingerprint !== fingerprintOf(resolution.stats)) return true;
  return before.realPath !== undefined && before.realPath !== resolution.realPath;
}
