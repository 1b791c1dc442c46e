import { concatMap, merge, Observable, of, Subject, tap } from 'rxjs';
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
import { ScanQueue, WatchPlan } from './watch-plan.ts';

/** The parts of the file source, and the times that it keeps. */
export interface WatchFilesParts {
  readonly store: ManifestStore;
  /** One for each root, in their order. */
  readonly scanners: readonly RootScanner[];
  readonly loader: ManifestLoader;
  readonly arrivals: Arrivals;
  readonly debounce: DebounceOptions;
  /** Interval of whole scans, with or without events, in milliseconds. */
  readonly scanInterval: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: (batch: Batch) => void;
}

/** Scans all roots and delivers a batch, then watches them. Settles after the first delivery. */
export function watchFiles(parts: WatchFilesParts): Promise<StopAsync> {
  const { store, loader, scanners, arrivals, scanInterval, clock, log, deliver } = parts;
  const queue = new ScanQueue();
  const requested = new Subject<void>();
  const settled = new SettleTimer(scanners, queue, clock);
  let plan = new WatchPlan([]);
  let stopped = false;
  /** The time of the first event that no batch contains yet. */
  let since: number | undefined;
  const watcher = new FolderWatcher({
    log,
    changed: (folder, name, event) => {
      if (name !== undefined) arrivals.record(entryIn(folder.identity, name), event);
      const requests = plan.scansAfter(folder.path, name);
      for (const request of requests) queue.add(request);
      if (requests.length === 0) return;
      since ??= clock.now();
      requested.next();
    },
  });

  const scan = async (): Promise<void> => {
    arrivals.beginScan();
    const began = since ?? clock.now();
    since = undefined;
    for (const [root, scope] of queue.take()) await scanners[root]?.scan(scope);
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
  let scanning: Promise<void> = Promise.resolve();
  const scanSafely = (): Promise<void> => {
    scanning = scan().catch((error: unknown) => {
      log.error('looking at the files failed: everything is looked at again soon', { error: String(error) });
      queue.addAll(scanners.length);
    });
    return scanning;
  };

  queue.addAll(scanners.length);
  const periodic = new Observable<void>((subscriber) => every(clock, scanInterval, () => subscriber.next())).pipe(
    tap(() => queue.addAll(scanners.length)),
  );
  const scans = merge(
    of(undefined),
    debounce(requested, parts.debounce, clock),
    periodic,
    settled.due,
    loader.loaded,
  ).pipe(concatMap(scanSafely));
  return new Promise((resolve) => {
    const subscription = scans.subscribe(() => resolve(stop));
    const stop = async (): Promise<void> => {
      stopped = true;
      subscription.unsubscribe();
      await loader.stop();
      await scanning;
      settled.cancel();
      watcher.close();
    };
  });
}
