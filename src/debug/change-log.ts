import type { Clock, Stop } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import type { ResourceChange } from '../source/model.ts';
import type { ChangeRecord } from './model.ts';

/** What a commit did, for the log of changes. */
export interface CommittedChange
  extends Pick<ChangeRecord, 'since' | 'decoded' | 'translated' | 'at' | 'cause' | 'encoded'> {
  readonly commit: Commit;
  readonly changes: readonly ResourceChange[];
  /** Further commits of the same change follow: they are one record. */
  readonly more: boolean;
}

/** Dependencies of the log of changes. */
export interface ChangeLogParts {
  readonly clock: Clock;
  /** Called once for each commit that nodes were sent, when no more responses to it are expected. */
  readonly settled: (record: ChangeRecord) => void;
}

/** Commits that are remembered. */
const mostRecords = 200;

/** Objects of one commit that are remembered by name. */
const mostObjects = 20;

/**
 * Milliseconds without a response or an answer after which a commit has settled: when all responses are answered, and
 * when some are not. The queue of pushes is never idle for a second, and the stream of a node that does not answer ends.
 */
const quiet = { answered: 1_000, unanswered: 15_000 };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Remembers the last commits, and when nodes were sent and acknowledged them. What is remembered of one is bounded, and
 * a response costs two assignments: a push to thousands of nodes passes here.
 */
export class ChangeLog {
  readonly #parts: ChangeLogParts;
  readonly #records: Mutable<ChangeRecord>[] = [];
  /** Records that more responses may belong to, oldest first. */
  #unsettled: ChangeRecord[] = [];
  /** A change of which more follows. */
  #incomplete: ChangeRecord | undefined;
  #stopTimer: Stop | undefined;

  constructor(parts: ChangeLogParts) {
    this.#parts = parts;
  }

  committed({ more, ...change }: CommittedChange): void {
    const record = joined(this.#incomplete, recordOf(change));
    this.#incomplete = more ? record : undefined;
    if (more) return;
    this.#records.push(record);
    this.#unsettled.push(record);
    if (this.#records.length > mostRecords) this.#forget();
    this.#arm();
  }

  /** A node that had an earlier state was sent a response. It counts for the last commit, which contains all others. */
  pushed(at: number): number {
    const record = this.#records.at(-1);
    if (record === undefined) return 0;
    record.pushes += 1;
    record.lastPush = at;
    return record.epoch;
  }

  /** A node answered such a response. @param epoch of its commit: two commits may be made within a millisecond */
  answered(epoch: number, at: number, accepted: boolean): void {
    const record = this.#records.findLast((one) => one.epoch === epoch);
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

  /** Settles what is left: no more responses follow. */
  stop(): void {
    this.#stopTimer?.();
    for (const record of this.#unsettled.splice(0)) this.#settle(record);
  }

  #forget(): void {
    const oldest = this.#records.shift();
    if (oldest === undefined || this.#unsettled[0] !== oldest) return;
    this.#unsettled.shift();
    this.#settle(oldest);
  }

  #arm(): void {
    this.#stopTimer ??= this.#parts.clock.after(quiet.answered, () => this.#look());
  }

  #look(): void {
    this.#stopTimer = undefined;
    const now = this.#parts.clock.now();
    const [settled, unsettled]: [ChangeRecord[], ChangeRecord[]] = [[], []];
    for (const record of this.#unsettled) (isSettled(record, now) ? settled : unsettled).push(record);
    this.#unsettled = unsettled;
    if (unsettled.length > 0) this.#arm();
    for (const record of settled) this.#settle(record);
  }

  #settle(record: ChangeRecord): void {
    if (record.pushes > 0) this.#parts.settled(record);
  }
}

function recordOf({ commit, changes, ...known }: Omit<CommittedChange, 'more'>): ChangeRecord {
  return {
    ...known,
    epoch: commit.epoch,
    objects: changes
      .slice(0, mostObjects)
      .map(({ kind, key, resource }) => ({ kind, key, change: resource === undefined ? 'deleted' : 'set' })),
    total: changes.length,
    runs: commit.runs,
    pushes: 0,
    lastPush: undefined,
    acks: 0,
    lastAck: undefined,
    nacks: 0,
  };
}

/** Adds a commit to those of the same change before it. */
function joined(before: ChangeRecord | undefined, next: ChangeRecord): ChangeRecord {
  if (before === undefined) return next;
  const { since, decoded } = before;
  const encoded = new Map(before.encoded);
  for (const [type, count] of next.encoded) encoded.set(type, (encoded.get(type) ?? 0) + count);
  const objects = [...before.objects, ...next.objects].slice(0, mostObjects);
  return { ...next, since, decoded, encoded, objects, total: before.total + next.total, runs: before.runs + next.runs };
}

function isSettled({ at, pushes, lastPush = at, acks, lastAck = at, nacks }: ChangeRecord, now: number): boolean {
  const since = now - Math.max(at, lastPush, lastAck);
  // The clock may have been set back.
  return since < 0 || since >= (acks + nacks >= pushes ? quiet.answered : quiet.unanswered);
}
