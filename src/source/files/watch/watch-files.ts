import { concatMap, merge, of, Subject, tap } from 'rxjs';
import type { Clock, Logger, StopAsync } from '../../../edges.ts';
import { bursts, every, type Quiet } from '../../../rate/debounce.ts';
import type { Batch } from '../../model.ts';
import type { FileWorld } from '../manifest-store.ts';
import { FolderWatch } from './folder-watcher.ts';
import { PendingMarks } from './pending-marks.ts';
import type { RootReader } from './root-reader.ts';
import { WatchPlan } from './watch-plan.ts';

export interface WatchFilesOptions {
  readonly world: FileWorld;
  /** One for each root, in their order. */
  readonly readers: readonly RootReader[];
  readonly quiet: Quiet;
  /** How often everything is looked at, events or not, in milliseconds. */
  readonly lookAgain: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: (batch: Batch) => void;
}

/** Looks at all roots and delivers what is there, then at whatever changes. Settles after the first delivery. */
export function watchFiles(options: WatchFilesOptions): Promise<StopAsync> {
  const { world, readers, quiet, lookAgain, clock, log, deliver } = options;
  const pending = new PendingMarks();
  const marked = new Subject<void>();
  let plan = new WatchPlan([]);
  let stopped = false;
  const watch = new FolderWatch({
    log,
    changed: (folder, name) => {
      const marks = plan.affected(folder, name);
      for (const mark of marks) pending.add(mark);
      if (marks.length > 0) marked.next();
    },
  });

  const look = async (): Promise<void> => {
    for (const [root, scope] of pending.take()) await readers[root]?.look(scope);
    plan = new WatchPlan(readers.map((reader) => reader.concerns()));
    const grown = await watch.watchOnly(plan.folders);
    if (stopped) return;
    const batch = world.settle();
    if (batch !== undefined) deliver(batch);
    if (!grown) return;
    pending.addAll(readers.length);
    marked.next();
  };
  let looking: Promise<void> = Promise.resolve();
  const lookSafely = (): Promise<void> => {
    looking = look().catch((error: unknown) => {
      log.error('looking at the files failed: everything is looked at again soon', { error: String(error) });
      pending.addAll(readers.length);
    });
    return looking;
  };

  pending.addAll(readers.length);
  const again = every(clock, lookAgain).pipe(tap(() => pending.addAll(readers.length)));
  const looks = merge(of(undefined), bursts(marked, quiet, clock), again).pipe(concatMap(lookSafely));
  return new Promise((resolve) => {
    const subscription = looks.subscribe(() => resolve(stop));
    const stop = async (): Promise<void> => {
      stopped = true;
      subscription.unsubscribe();
      await looking;
      watch.close();
    };
  });
}
