import { concatMap, exhaustMap, merge, Observable, of, Subject } from 'rxjs';
import type { Clock, Logger, StopAsync } from '../../../edges.ts';
import { every } from '../../../net/timers.ts';
import { type DebounceOptions, debounce } from '../../../rate/debounce.ts';
import type { Batch } from '../../model.ts';
import type { ManifestStore } from '../manifest-store.ts';
import type { ManifestLoader } from '../parsing/manifest-loader.ts';
import { type Arrivals, entryIn } from './arrivals.ts';
import { FolderWatcher } from './folder-watcher.ts';
import type { RootScanner } from './root-scanner.ts';
import { SettleTimer } from './settle-timer.ts';
import { ScanQueue, type ScanRequest, WatchPlan } from './watch-plan.ts';

/** The parts of the file source, and the times that it keeps. */
export interface WatchFilesParts {
  readonly store: ManifestStore;
  /** One for each root, in their order. */
  readonly scanners: readonly RootScanner[];
  readonly loader: ManifestLoader;
  readonly arrivals: Arrivals;
  readonly debounce: DebounceOptions;
  /** Interval in which all files are looked at, with or without events, in milliseconds. */
  readonly scanInterval: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: (batch: Batch) => void;
}

/** Scans all roots and delivers a batch, then watches them. Settles after the first delivery. */
export function watchFiles(parts: WatchFilesParts): Promise<StopAsync> {
  const { store, loader, scanners, arrivals, clock, log, deliver } = parts;
  const queue = new ScanQueue();
  const requested = new Subject<void>();
  const settled = new SettleTimer(scanners, queue, clock);
  let plan = new WatchPlan([]);
  let stopped = false;
  /** The time of the first event that no batch contains yet. */
  let since: number | undefined;
  const watcher = watchFolders(
    parts,
    (request) => {
      queue.add(request);
      since ??= clock.now();
      requested.next();
    },
    () => plan,
  );

  const scan = async (): Promise<void> => {
    arrivals.beginScan();
    const began = since ?? clock.now();
    since = undefined;
    for (const [root, scope] of queue.take()) await scanners[root]?.scan(scope);
    for (const scanner of scanners) await scanner.fit();
    settled.arm();
    plan = new WatchPlan(scanners.map((scanner) => scanner.watchedEntries()));
    const added = await watcher.watchOnly(plan.folders);
    if (stopped) return;
    const batch = store.takeBatch();
    if (batch !== undefined) deliver({ ...batch, since: began });
    if (!added) return;
    queue.addAll(scanners.length);
    requested.next();
  };
  const failed = (error: unknown): void => {
    log.error('looking at the files failed: everything is looked at again soon', { error: String(error) });
    queue.addAll(scanners.length);
  };
  let scanning: Promise<void> = Promise.resolve();
  const scanSafely = (): Promise<void> => {
    scanning = scan().catch(failed);
    return scanning;
  };

  queue.addAll(scanners.length);
  const checks = checkAll(parts, queue, failed);
  const scans = merge(
    of(undefined),
    debounce(requested, parts.debounce, clock),
    checks.ended,
    settled.due,
    loader.loaded,
  ).pipe(concatMap(scanSafely));
  return new Promise((resolve) => {
    const subscription = scans.subscribe(() => resolve(stop));
    const stop = async (): Promise<void> => {
      stopped = true;
      subscription.unsubscribe();
      await loader.stop();
      await Promise.all([scanning, checks.last()]);
      settled.cancel();
      watcher.close();
    };
  });
}

/**
 * Looks at all files at an interval, and requests the scans of what has changed without an event. Goes on beside the
 * scans of what events tell: a change must not wait until all files were looked at.
 */
function checkAll(
  { scanners, scanInterval, clock }: WatchFilesParts,
  queue: ScanQueue,
  failed: (error: unknown) => void,
): { readonly ended: Observable<void>; readonly last: () => Promise<void> } {
  let last: Promise<void> = Promise.resolve();
  const check = async (): Promise<void> => {
    for (const [root, scanner] of scanners.entries()) queue.addScope(root, await scanner.check());
  };
  const due = new Observable<void>((subscriber) => every(clock, scanInterval, () => subscriber.next()));
  const ended = due.pipe(
    exhaustMap(() => {
      last = check().catch(failed);
      return last;
    }),
  );
  return { ended, last: () => last };
}

/**
 * Watches folders, and records what arrives in them.
 *
 * @param request called with each scan that an event requires
 * @param plan returns the current plan
 */
function watchFolders(
  { scanners, arrivals, log }: Pick<WatchFilesParts, 'scanners' | 'arrivals' | 'log'>,
  request: (request: ScanRequest) => void,
  plan: () => WatchPlan,
): FolderWatcher {
  return new FolderWatcher({
    log,
    changed(folder, name, event) {
      if (name !== undefined) arrivals.record(entryIn(folder.identity, name), event);
      for (const one of plan().scansAfter(folder.path, name)) {
        if (one.entry === undefined || scanners[one.root]?.hasToScan(one.entry) !== false) request(one);
      }
    },
  });
}
