import type { Commit } from '../graph/model.ts';
import type { KindName } from '../resources/model.ts';
import type { ResourceChange } from '../source/model.ts';

/** An object that a commit changed. */
interface ChangedObject {
  readonly kind: KindName;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
  readonly change: 'set' | 'deleted';
}

/** One commit, and how it reached the nodes. Times are in milliseconds since the epoch. */
export interface ChangeRecord {
  readonly epoch: number;
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
  /** Milliseconds from the batch to the snapshots: decoded objects are translated and encoded. */
  readonly encodeMilliseconds: number;
  /** Resources that were encoded, by type URL. */
  readonly encoded: ReadonlyMap<string, number>;
  readonly pushes: number;
  readonly lastPush: number | undefined;
  readonly acks: number;
  readonly lastAck: number | undefined;
  readonly nacks: number;
}

/** What a commit did, for the log of changes. */
export interface CommittedChange {
  readonly commit: Commit;
  readonly changes: readonly ResourceChange[];
  readonly cause: ChangeRecord['cause'];
  readonly at: number;
  readonly encodeMilliseconds: number;
  readonly encoded: ReadonlyMap<string, number>;
}

/** Commits that are remembered. */
const mostRecords = 200;

/** Objects of one commit that are remembered by name. */
const mostObjects = 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Remembers the last commits, and when nodes were sent and acknowledged them. What is remembered of one is bounded, and
 * a response costs two assignments: a push to thousands of nodes passes here.
 */
export class ChangeLog {
  readonly #records: Mutable<ChangeRecord>[] = [];

  committed({ commit, changes, cause, at, encodeMilliseconds, encoded }: CommittedChange): void {
    this.#records.push({
      epoch: commit.epoch,
      at,
      cause,
      objects: changes.slice(0, mostObjects).map(({ kind, key, resource }) => ({
        kind,
        key,
        change: resource === undefined ? 'deleted' : 'set',
      })),
      total: changes.length,
      runs: commit.runs,
      encodeMilliseconds,
      encoded,
      pushes: 0,
      lastPush: undefined,
      acks: 0,
      lastAck: undefined,
      nacks: 0,
    });
    if (this.#records.length > mostRecords) this.#records.shift();
  }

  /** A node that had an earlier state was sent a response. It counts for the last commit, which contains all others. */
  pushed(at: number): void {
    const record = this.#records.at(-1);
    if (record === undefined) return;
    record.pushes += 1;
    record.lastPush = at;
  }

  /** A node answered such a response. @param sent when it was sent */
  answered(sent: number, at: number, accepted: boolean): void {
    const record = this.#records.findLast((one) => one.at <= sent);
    if (record === undefined) return;
    if (accepted) {
      record.acks += 1;
      record.lastAck = at;
    } else record.nacks += 1;
  }

  /** The records, newest first. */
  list(): readonly ChangeRecord[] {
    return this.#records.toReversed();
  }
}
