import type { Files } from '../../support/worlds/fresh-world.ts';
import type { HeldResources } from '../../support/worlds/held-resources.ts';

/** A small set of manifests that shows one clause of their specification. */
export interface World {
  /** The clause, as a sentence. */
  readonly clause: string;
  readonly files: Files;
  /** The expected resources of each Gateway; none for one that is absent. */
  readonly serves: Readonly<Record<string, Partial<HeldResources>>>;
}

/** The files that a control plane reads from a folder: visible ones with the suffix of a manifest. */
export function manifestsOf(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => /^[^.].*\.(?:yaml|yml|json)$/.test(name)));
}
