import type { Clock, Logger, Random, Stop } from '../../edges.ts';
import { codeOrReason, reasonOf } from '../../net/errors.ts';
import { every } from '../../net/timers.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { ConfigStore, ResponseObserver } from './config-store.ts';
import type { LastGoodStatus, ResourceKind } from './model.ts';
import type { StateFolder } from './state-folder.ts';
import { decodeState, encodeState, type StateOwner } from './state-format.ts';
import { createStateSaver, type SaverTask } from './state-saver.ts';

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
export interface LastGoodParts extends Omit<LastGoodSettings, 'folder'> {
  readonly folder: StateFolder;
  readonly owner: StateOwner;
  readonly store: () => Pick<ConfigStore, 'snapshot' | 'restore' | 'restoredKinds' | 'dropRestored'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Milliseconds between two looks at the age of what was restored: a clock may be set, and a machine may sleep. */
const ageInterval = 30_000;

/** The state is confirmed again on disk this many times within its maximum age, at most once a minute. */
const refreshes = 24;

/** Creates the keeper of the state; see {@link LastGood}. */
export function createLastGood(parts: LastGoodParts): LastGood {
  const { folder, clock, random, log, maxAge, count, owner, store } = parts;
  const confirmations = createConfirmations(clock);
  const reports = createReports(parts);
  const restored = createRestored(parts, () => {
    saver.narrowing();
    for (const kind of store().restoredKinds()) confirmations.forget(kind);
    store().dropRestored();
  });
  const saver = createStateSaver({
    folder,
    clock,
    random,
    async write(isCurrent) {
      const savedAt = confirmations.oldest();
      if (savedAt === undefined) return true;
      const written = await folder.write(encodeState(owner, savedAt, store().snapshot()), isCurrent);
      if (written) reports.written();
      return written;
    },
    failed: reports.failed,
    removed: reports.removed,
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
        const fields = { folder: folder.path, because: reasonOf(error) };
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
      await folder.release();
    },
  };
}

const failures: Readonly<Record<SaverTask, string>> = {
  write: 'the last-good state cannot be saved',
  remove: 'the last-good state cannot be removed, and a restart would use it',
};

/** Counts and logs what happens on the disk. */
function createReports({ folder, count, clock, log }: LastGoodParts) {
  const throttle = new LogThrottle(clock, log);
  return {
    written(): void {
      count('written');
      throttle.recovered('write', 'the last-good state is saved again');
    },
    removed: () => void throttle.recovered('remove', 'the last-good state that had to go is removed'),
    failed(task: SaverTask, error: unknown): void {
      count('failed');
      // The code: messages of the file system name temporary files, each another one.
      throttle.failed(task, { reason: codeOrReason(error), message: failures[task], fields: { folder: folder.path } });
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
      return {
        kinds: restored,
        savedAt: new Date(savedAt).toISOString(),
        ageSeconds: Math.floor(now / 1_000),
        droppedAt: new Date(savedAt + maxAge).toISOString(),
      };
    },
    stop: () => stopTimer(),
  };
}
