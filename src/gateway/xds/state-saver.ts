import type { Clock, Random, Stop } from '../../edges.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import type { StateFolder } from './state-folder.ts';

/** Writes the last-good state after changes, and removes it before something is taken away. */
export interface StateSaver {
  /** Something was added, or is confirmed again: the state is written a second later, once for all of a second. */
  schedule(): void;
  /**
   * Something is about to be taken away: removes the file before it returns, so that no restart can bring it back.
   * Until the next write there is no state. What only adds leaves the file, which allows less.
   */
  narrowing(): void;
  /**
   * Saves what is not saved, and ends.
   *
   * @param changed whether there is something to save though nothing was scheduled
   */
  stop(changed: boolean): Promise<void>;
}

/** Dependencies of a saver. */
export interface StateSaverParts {
  readonly folder: Pick<StateFolder, 'remove' | 'flush'>;
  /** Writes the state in force, see {@link StateFolder.write}. */
  readonly write: (isCurrent: () => boolean) => Promise<boolean>;
  /** Called with each failure to write or to remove the file. Both are tried again. */
  readonly failed: (task: SaverTask, error: unknown) => void;
  /** Called when the file is removed or replaced; it may have failed before. */
  readonly removed: () => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** What of the saver can fail. */
export type SaverTask = 'write' | 'remove';

/** Milliseconds from a change to the write that has it and those that follow. */
const delay = 1_000;

/** The share of the time that writes take, at most. */
const writingShare = 1 / 20;

/** Milliseconds until a write that failed is tried again. */
const retryDelay = 60_000;

/** Until the file is removed, a restart may use it: the first attempts follow soon. */
const removalBackoff: Backoff = { initial: 1_000, max: 60_000 };

/** Creates a saver that writes nothing before something is scheduled. */
export function createStateSaver(parts: StateSaverParts): StateSaver {
  /** Counts changes that take something away: what was read before one of them may not be written after it. */
  let generation = 0;
  const removal = createRemoval(parts);
  const writes = createWrites(parts, async () => {
    const before = generation;
    let isReplaced = false;
    try {
      const written = await parts.write(() => {
        isReplaced = generation === before;
        if (isReplaced) removal.replacing();
        return isReplaced;
      });
      isReplaced &&= written && generation === before;
      return written;
    } catch (error) {
      isReplaced = false;
      throw error;
    } finally {
      removal.settled(isReplaced);
    }
  });
  return {
    schedule: writes.schedule,
    narrowing() {
      generation += 1;
      removal.remove();
    },
    async stop(changed) {
      await writes.stop(changed);
      await removal.stop();
    },
  };
}

/** Calls `write` in time after changes, one call after another. It returns false when it has to be called again. */
function createWrites({ clock, failed }: Pick<StateSaverParts, 'clock' | 'failed'>, write: () => Promise<boolean>) {
  let pending: Stop | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let pause = delay;
  let stopped = false;

  const writeOnce = async (): Promise<void> => {
    const began = clock.monotonic();
    try {
      again ||= !(await write());
      pause = Math.max(delay, (clock.monotonic() - began) / writingShare);
    } catch (error) {
      again = true;
      pause = retryDelay;
      failed('write', error);
    }
  };
  const run = (): Promise<void> => {
    again = false;
    running = writeOnce().finally(() => {
      running = undefined;
      if (again) schedule();
    });
    return running;
  };
  const schedule = (): void => {
    if (running !== undefined) again = true;
    if (stopped || running !== undefined || pending !== undefined) return;
    pending = clock.after(pause, () => {
      pending = undefined;
      void run();
    });
  };

  return {
    schedule,
    async stop(changed: boolean): Promise<void> {
      const unsaved = changed || pending !== undefined || again;
      stopped = true;
      pending?.();
      pending = undefined;
      await running;
      if (unsaved || again) await run();
    },
  };
}

/** Removes the file when it has to go, and tries again until it is gone from the disk. */
function createRemoval({ folder, clock, random, failed, removed }: Omit<StateSaverParts, 'write'>) {
  /** `removed`: a start finds no file, but after a loss of power it might. */
  let state: 'there' | 'removed' | 'flushed' = 'there';
  /** Whether the disk may still have what was taken away. */
  let due = false;
  let failures = 0;
  let stopTimer: Stop = () => {};
  let stopped = false;
  let flushing: Promise<void> = Promise.resolve();
  /** Counts removals: what was flushed before one of them says nothing of it. */
  let removals = 0;

  const retry = (error: unknown): void => {
    failures += 1;
    failed('remove', error);
    if (!stopped) stopTimer = clock.after(backoffDelay(failures, removalBackoff, random), attempt);
  };
  const done = (): void => {
    due = false;
    failures = 0;
    stopTimer();
    removed();
  };
  const flush = async (): Promise<void> => {
    removals += 1;
    const own = removals;
    const error = await folder.flush().then(
      () => undefined,
      (reason: unknown) => ({ reason }),
    );
    if (own !== removals || state !== 'removed') return;
    if (error !== undefined) return retry(error.reason);
    state = 'flushed';
    done();
  };
  const attempt = (): void => {
    stopTimer();
    try {
      if (state === 'there') folder.remove();
    } catch (error) {
      retry(error);
      return;
    }
    state = 'removed';
    flushing = flush();
  };

  return {
    remove(): void {
      if (state !== 'there') return;
      due = true;
      attempt();
    },
    /** Call it right before the file is replaced. */
    replacing(): void {
      state = 'there';
      // It would remove the new file.
      stopTimer();
    },
    /** @param isReplaced whether the file on the disk is one that nothing was taken away from since */
    settled(isReplaced: boolean): void {
      if (isReplaced) done();
      else if (due) attempt();
    },
    async stop(): Promise<void> {
      stopped = true;
      stopTimer();
      if (due) attempt();
      await flushing;
    },
  };
}
