import type { Clock, Logger, Random, Stop } from '../../edges.ts';
import { every } from '../../net/timers.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { reasonOf } from '../errors.ts';
import type { ConfigStore, ResponseObserver } from './config-store.ts';
import type { LastGoodStatus, ResourceKind } from './model.ts';
import { createStateFolder } from './state-folder.ts';
import { decodeState, encodeState, maxStateBytes, type StateOwner } from './state-format.ts';

/** Keeps the resources in force on disk, and restores them when the control plane is away at a start. */
export interface LastGood extends ResponseObserver {
  /** Restores what is on disk, if it may be used; logs the reason if it may not. Call it once, before anything else. */
  load(): Promise<void>;
  /** The control plane answers on a stream. */
  connected(): void;
  /** The stream has ended. */
  disconnected(): void;
  /** What is in force that was restored; `null` when nothing is. */
  status(): LastGoodStatus | null;
  /** Saves what is not saved, and ends. */
  stop(): Promise<void>;
}

/** Where and how long the state is kept. */
export interface LastGoodSettings {
  readonly folder: string;
  /** Milliseconds since a control plane has confirmed it, after which the state is not used. */
  readonly maxAge: number;
  /** Counts what happens to the state. */
  readonly count: (event: LastGoodEvent) => void;
}

/** Values of a label. */
export type LastGoodEvent = 'restored' | 'refused' | 'dropped' | 'written' | 'failed';

/** Dependencies of the state. */
export interface LastGoodParts extends LastGoodSettings {
  readonly owner: StateOwner;
  readonly store: () => Pick<ConfigStore, 'snapshot' | 'restore' | 'restoredKinds' | 'dropRestored'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Milliseconds from a change to the write that has it and those that follow. */
const delay = 1_000;

/** The share of the time that writes take, at most. */
const writingShare = 1 / 20;

/** Milliseconds until a write that failed is tried again. */
const retryDelay = 60_000;

/** Milliseconds between two looks at the age of what was restored: a clock may be set, and a machine may sleep. */
const ageInterval = 30_000;

/** The state is confirmed again on disk this many times within its maximum age, at most once a minute. */
const refreshes = 24;

/** Creates the keeper of the state; see {@link LastGood}. */
export function createLastGood(parts: LastGoodParts): LastGood {
  const { clock, log, maxAge, count, owner, store } = parts;
  const folder = createStateFolder(parts.folder, maxStateBytes, parts.random);
  const confirmations = createConfirmations(clock);
  const troubles = new LogThrottle(clock, log);
  const restored = createRestored(parts, () => {
    saver.narrowing();
    for (const kind of store().restoredKinds()) confirmations.forget(kind);
    store().dropRestored();
  });
  const failed = (key: string, message: string, error: unknown): void => {
    count('failed');
    troubles.failed(key, { reason: reasonIn(error), message, fields: { folder: parts.folder } });
  };
  const saver = createSaver(clock, {
    remove: folder.remove,
    async write(isCurrent) {
      const savedAt = confirmations.oldest();
      if (savedAt === undefined) return true;
      const written = await folder.write(encodeState(owner, savedAt, store().snapshot()), isCurrent);
      if (written) {
        count('written');
        troubles.recovered('write', 'the last-good state is saved again');
      }
      return written;
    },
    failed,
  });
  let stopRefreshing: Stop = () => {};

  return {
    async load() {
      try {
        const file = await folder.read();
        if (file === undefined) return;
        const saved = decodeState(file, owner, { now: clock.now(), maxAge });
        store().restore(saved.resources);
        for (const kind of store().restoredKinds()) confirmations.set(kind, saved.savedAt);
        restored.begin(saved.savedAt);
      } catch (error) {
        count('refused');
        const fields = { folder: parts.folder, because: reasonOf(error) };
        log.warn('starts without last-good state: what is there may not be used', fields);
      }
    },
    narrowing: saver.narrowing,
    applied(kind) {
      confirmations.live(kind);
      saver.schedule();
    },
    connected() {
      stopRefreshing();
      stopRefreshing = every(clock, Math.max(60_000, maxAge / refreshes), saver.schedule);
    },
    disconnected() {
      stopRefreshing();
      if (confirmations.end()) saver.schedule();
    },
    status: restored.status,
    async stop() {
      stopRefreshing();
      restored.stop();
      const isConfirmedSince = confirmations.end();
      await saver.stop(isConfirmedSince);
    },
  };
}

const kinds: readonly ResourceKind[] = ['Target', 'Config'];

/** When the control plane has confirmed the resources of each kind last. */
function createConfirmations(clock: Clock) {
  const times = new Map<ResourceKind, number>();
  /** Answered on the stream that is open: what has changed since would have been sent. */
  const current = new Set<ResourceKind>();
  return {
    set: (kind: ResourceKind, time: number) => void times.set(kind, time),
    forget: (kind: ResourceKind) => void times.delete(kind),
    live(kind: ResourceKind) {
      current.add(kind);
      times.set(kind, clock.now());
    },
    /** Returns whether any kind was confirmed until now. */
    end(): boolean {
      const some = current.size > 0;
      for (const kind of current) times.set(kind, clock.now());
      current.clear();
      return some;
    },
    /** That of the kind that was confirmed first, in milliseconds; `undefined` while one was never confirmed. */
    oldest(): number | undefined {
      let oldest = clock.now();
      for (const kind of kinds) {
        const time = current.has(kind) ? clock.now() : times.get(kind);
        if (time === undefined) return undefined;
        oldest = Math.min(oldest, time);
      }
      return oldest;
    },
  };
}

/** Writes the state, changes within a second at once. */
function createSaver(
  clock: Clock,
  disk: {
    remove(): void;
    /** Returns false when the state was not current any more. */
    write(isCurrent: () => boolean): Promise<boolean>;
    failed(key: string, message: string, error: unknown): void;
  },
) {
  let pending: Stop | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let pause = delay;
  let stopped = false;
  /** Counts changes that take something away: what was read before one of them may not be written after it. */
  let generation = 0;
  let fileMayExist = true;

  const writeOnce = async (): Promise<void> => {
    const [before, began] = [generation, clock.now()];
    try {
      const written = await disk.write(() => {
        const isCurrent = generation === before;
        // As soon as it may be there: the next change has to remove it.
        fileMayExist ||= isCurrent;
        return isCurrent;
      });
      again ||= !written;
      pause = Math.max(delay, (clock.now() - began) / writingShare);
    } catch (error) {
      again = true;
      pause = retryDelay;
      disk.failed('write', 'the last-good state cannot be saved', error);
    }
  };
  const write = (): Promise<void> => {
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
      void write();
    });
  };

  return {
    schedule,
    /**
     * Removes the file before something is taken away, so that no restart can bring it back: until the next write there
     * is no state. What only adds leaves the file, which allows less.
     */
    narrowing() {
      generation += 1;
      if (!fileMayExist) return;
      try {
        disk.remove();
        fileMayExist = false;
      } catch (error) {
        disk.failed('remove', 'the last-good state cannot be removed, and a restart would use it', error);
      }
    },
    /** @param changed whether there is something to save though nothing was scheduled */
    async stop(changed: boolean) {
      const unsaved = changed || pending !== undefined || again;
      stopped = true;
      pending?.();
      pending = undefined;
      await running;
      if (unsaved || again) await write();
    },
  };
}

/** Follows the age of what was restored, and gives it up when it is too old. */
function createRestored({ clock, log, maxAge, count, store }: LastGoodParts, drop: () => void) {
  let savedAt = 0;
  /** Milliseconds; grows with the time that timers measure and with that of the clock, whichever is more. */
  let age = 0;
  let stopTimer: Stop = () => {};
  const watch = (): void => {
    const wait = Math.min(ageInterval, Math.max(0, maxAge - age));
    stopTimer = clock.after(wait, () => {
      const restored = store().restoredKinds();
      if (restored.length === 0) return;
      age = Math.max(age + wait, clock.now() - savedAt);
      if (age < maxAge) return watch();
      drop();
      count('dropped');
      log.error('last-good state is given up: the control plane has not answered, and all that it allowed is denied', {
        kinds: restored,
        seconds: Math.floor(age / 1_000),
      });
    });
  };
  return {
    begin(time: number) {
      savedAt = time;
      age = clock.now() - time;
      count('restored');
      log.warn('last-good state is in force until the control plane answers', {
        kinds: store().restoredKinds(),
        seconds: Math.floor(age / 1_000),
      });
      watch();
    },
    status(): LastGoodStatus | null {
      const restored = store().restoredKinds();
      if (restored.length === 0) return null;
      const now = Math.max(age, clock.now() - savedAt);
      return { kinds: restored, savedAt, ageSeconds: Math.floor(now / 1_000), droppedAt: savedAt + maxAge };
    },
    stop: () => stopTimer(),
  };
}

/** The code where there is one: messages of the file system name temporary files, each another one. */
function reasonIn(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : reasonOf(error);
}
