import { setImmediate } from 'node:timers/promises';
import { concatMap, merge, type Observable, of, Subject } from 'rxjs';
import type { Clock, Logger, Stop, StopAsync } from '../../../edges.ts';
import { every } from '../../../net/timers.ts';
import { type DebounceOptions, debounce } from '../../../rate/debounce.ts';
import { inTurns } from '../../../rate/turns.ts';
import type { Batch } from '../../model.ts';
import type { ManifestStore } from '../manifest-store.ts';
import type { ManifestLoader } from '../parsing/manifest-loader.ts';
import { PartedDelivery } from '../parted-delivery.ts';
import { type Arrivals, entryIn } from './arrivals.ts';
import { FolderWatcher } from './folder-watcher.ts';
import type { RootScanner } from './root-scanner.ts';
import { ScanQueue } from './scan-queue.ts';
import { SettleTimer } from './settle-timer.ts';
import type { WatchPlan } from './watch-plan.ts';

/** The parts of the file source, and the times that it keeps. */
export interface WatchFilesParts {
  readonly store: ManifestStore;
  /** One for each root, in their order. */
  readonly scanners: readonly RootScanner[];
  readonly loader: ManifestLoader;
  readonly arrivals: Arrivals;
  /** That of the scanners. */
  readonly plan: WatchPlan;
  readonly debounce: DebounceOptions;
  /** Interval in which all files are looked at, with or without events, in milliseconds. */
  readonly scanInterval: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: (batch: Batch) => void;
}

type Batches = ReturnType<ManifestStore['takeBatches']>;

/** Scans all roots and delivers a batch, then watches them. Settles after the first delivery. */
export function watchFiles(parts: WatchFilesParts): Promise<StopAsync> {
  const { store, loader, scanners, plan, clock, log } = parts;
  const queue = new ScanQueue();
  /** By root: one that changes without an end must not delay the others. */
  const requested = scanners.map(() => new Subject<void>());
  /** Emits when the queue has what was left of a scan, or a delivery has left something. */
  const resumed = new Subject<void>();
  const settled = new SettleTimer(scanners, queue, clock);
  let stopped = false;
  /** The first batch was delivered. */
  let isStarted = false;
  /** The time of the first event that no batch contains yet. */
  let since: number | undefined;
  const failed = (error: unknown): void => {
    log.error('looking at the files failed: everything is looked at again soon', { error: String(error) });
    queue.addAll(scanners.length);
  };
  const checks = checkAll(parts, queue, failed);
  const request = (root: number, entry: string): void => {
    queue.add(root, entry);
    since ??= clock.now();
    requested[root]?.next();
    loader.release();
  };
  const watcher = watchFolders(parts, { check: checks.request, scan: request });
  let scanning: Promise<void> = Promise.resolve();
  const reading = (): Promise<void> => (isStarted ? soon(scanning, clock) : Promise.resolve());
  const delivery = new PartedDelivery({ ...parts, retry: () => resumed.next(), reading });
  const scan = async (): Promise<void> => {
    const began = since ?? clock.now();
    since = undefined;
    await scanQueued(scanners, queue);
    settled.arm();
    const added = await watcher.watchOnly(plan.folders);
    const taken = take(store, clock);
    const batches = 'then' in taken ? await taken : taken;
    if (stopped) return;
    const delivered = delivery.deliver(batches.map((batch) => ({ ...batch, since: began })));
    // Later ones go on beside the scans: a change of one file must not wait for a large one of another.
    if (!isStarted) await delivered;
    isStarted = true;
    const again = added.flatMap((folder) => [...plan.scansIn(folder)]);
    queue.addScans(again);
    for (const { root } of again) requested[root]?.next();
    if (again.length === 0 && queue.size > 0) resumed.next();
  };
  const scanSafely = (): Promise<void> => {
    scanning = scan().catch(failed);
    return scanning;
  };
  queue.addAll(scanners.length);
  const changed = requested.map((ofRoot) => debounce(ofRoot, parts.debounce, clock));
  const scans = merge(of(undefined), ...changed, checks.ended, resumed, settled.due, loader.loaded).pipe(
    concatMap(scanSafely),
  );
  return new Promise((resolve) => {
    const subscription = scans.subscribe(() => resolve(stop));
    const stop = async (): Promise<void> => {
      stopped = true;
      delivery.stop();
      subscription.unsubscribe();
      await loader.stop();
      await Promise.all([scanning, checks.stop()]);
      settled.cancel();
      watcher.close();
    };
  });
}

/** Takes what has changed: what takes some milliseconds at once, and more of it in turns. */
function take(store: ManifestStore, clock: Clock): Promise<Batches> | Batches {
  const steps = store.takeInSteps();
  const first = steps.next();
  return first.done === true ? first.value : inTurns(steps, clock, () => setImmediate());
}

/** Milliseconds that a part of a large change waits for a scan. */
const maxPause = 50;

/** Settles with a promise, which does not reject, or after {@link maxPause}. */
function soon(promise: Promise<void>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const stop = clock.after(maxPause, late.resolve);
  return Promise.race([promise, late.promise]).finally(stop);
}

/** Scans what was requested, and queues what is left of it, and what has room now. */
async function scanQueued(scanners: readonly RootScanner[], queue: ScanQueue): Promise<void> {
  const othersWait = (): boolean => queue.size > 0;
  for (const [root, scope] of queue.take()) {
    const left = await scanners[root]?.scan(scope, othersWait);
    if (left !== undefined) queue.addLeft(root, left);
  }
  for (const [root, scanner] of scanners.entries()) queue.addLeft(root, await scanner.fit(othersWait));
  for (const [root, scanner] of scanners.entries()) queue.addChanged(root, scanner.takePostponed());
}

interface Checks {
  /** Emits when what a check found is in the queue. */
  readonly ended: Observable<void>;
  /** Requests a check, once more if one is under way. */
  readonly request: () => void;
  readonly stop: StopAsync;
}

/**
 * Looks at all files at an interval and when it is requested, and queues the scans of what has changed. Goes on beside
 * the scans of what events tell: a change must not wait until all files were looked at. Takes half of the time at most,
 * since whoever touches a folder requests it.
 */
function checkAll(
  { scanners, scanInterval, clock }: WatchFilesParts,
  queue: ScanQueue,
  failed: (error: unknown) => void,
): Checks {
  const ended = new Subject<void>();
  let running: Promise<void> | undefined;
  let isRequested = false;
  let isStopped = false;
  let endRest: Stop = () => undefined;
  const rest = (milliseconds: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(milliseconds, resolve);
    endRest = () => {
      cancel();
      resolve();
    };
    return promise;
  };
  const check = async (): Promise<void> => {
    for (const [root, scanner] of scanners.entries()) queue.addChanged(root, await scanner.check());
  };
  const run = async (): Promise<void> => {
    while (isRequested) {
      isRequested = false;
      const began = clock.monotonic();
      await check().catch(failed);
      ended.next();
      const took = Math.min(clock.monotonic() - began, scanInterval);
      if (took > 0 && !isStopped) await rest(took);
    }
    running = undefined;
  };
  const request = (): void => {
    isRequested = true;
    running ??= run();
  };
  const stopTimer = every(clock, scanInterval, request);
  return {
    ended,
    request,
    async stop() {
      stopTimer();
      isRequested = false;
      isStopped = true;
      endRest();
      await running;
    },
  };
}

interface Requests {
  readonly check: () => void;
  readonly scan: (root: number, entry: string) => void;
}

/** Watches folders, and records what arrives in them. */
function watchFolders(
  { scanners, arrivals, plan, clock, log }: WatchFilesParts,
  { check, scan }: Requests,
): FolderWatcher {
  return new FolderWatcher({
    clock,
    log,
    changed(folder, name, event) {
      if (name !== undefined) arrivals.record(entryIn(folder.identity, name), event);
      for (const { root, entry } of plan.scansAfter(folder.path, name)) {
        if (entry === undefined) check();
        else if (scanners[root]?.hasToScan(entry) !== false) scan(root, entry);
      }
    },
  });
}
