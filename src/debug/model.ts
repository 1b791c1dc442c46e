import type { Place } from '../explain/model.ts';
import type { KindName } from '../resources/model.ts';

/** Finds where each field is written, `<file>:<line>:<column>`; undefined for one that is in no file. */
export type PlacesOf = (places: readonly Place[]) => Promise<readonly (string | undefined)[]>;

/** Reads an object as its author wrote it, or as the API server has it, as YAML; undefined when it cannot be read. */
export type ManifestOf = (kind: KindName, key: string) => Promise<string | undefined>;

/** An object that a commit changed. */
interface ChangedObject {
  readonly kind: KindName;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
  readonly change: 'set' | 'deleted';
}

/** One change, of one commit or several, and how it reached the nodes. Times are in milliseconds since the epoch. */
export interface ChangeRecord {
  readonly epoch: number;
  /** The time at which the first of its changes was noticed: by an event of a watch, or of the file system. */
  readonly since: number;
  /** The times at which its objects were decoded, and at which they were translated. */
  readonly decoded: number;
  readonly translated: number;
  /** The time at which the snapshots were up to date, and nodes were about to be sent the change. */
  readonly at: number;
  /** `start`: the initial read. `change`: files or objects changed while they were watched. */
  readonly cause: 'start' | 'change';
  /** The first objects, in the order of the input. */
  readonly objects: readonly ChangedObject[];
  /** The number of all objects. */
  readonly total: number;
  /** Transformations that ran. */
  readonly runs: number;
  /** Resources that were encoded, by type URL. */
  readonly encoded: ReadonlyMap<string, number>;
  readonly pushes: number;
  readonly lastPush: number | undefined;
  readonly acks: number;
  readonly lastAck: number | undefined;
  readonly nacks: number;
}
