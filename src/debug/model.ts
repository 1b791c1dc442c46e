import type { Place } from '../explain/model.ts';
import type { KindName } from '../resources/model.ts';

/** Finds where each field is written, `<file>:<line>:<column>`; undefined for one that is in no file. */
export type PlacesOf = (places: readonly Place[]) => Promise<readonly (string | undefined)[]>;

/** Reads an object as its author wrote it, or as the API server has it, as YAML; undefined when it cannot be read. */
export type ManifestOf = (kind: KindName, key: string) => Promise<string | undefined>;
