import type { ManifestFile } from '../../../../src/source/files/manifest/manifest-file.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../../../src/source/files/manifest-store.ts';
import { ManifestLoader } from '../../../../src/source/files/parsing/manifest-loader.ts';
import { Arrivals } from '../../../../src/source/files/watch/arrivals.ts';
import { type BudgetLimits, ManifestBudget } from '../../../../src/source/files/watch/manifest-budget.ts';
import { RootScanner } from '../../../../src/source/files/watch/root-scanner.ts';
import { type ChangedEntries, EntryOrder, wholeRoot } from '../../../../src/source/files/watch/scan-queue.ts';
import { WatchPlan } from '../../../../src/source/files/watch/watch-plan.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../../support/worlds/batches.ts';

/** Scans and checks of folders, when the test says so. */
export interface ScanRig {
  /** Returns the entries that are left for the next scan. */
  scan(changed?: ChangedEntries, wasLeft?: readonly string[], othersWait?: boolean): Promise<readonly string[]>;
  check(): Promise<ChangedEntries>;
  /** Delivers what a check changed, as a scan beside it may. */
  deliver(): Batches;
  services(): readonly string[];
  messages(): readonly string[];
  looks(by: 'change' | 'check'): number;
  pass(milliseconds: number): void;
  /** Each look at the clock takes a millisecond from now on, so that work in turns has many of them. */
  hurry(): void;
}

/** Scanners of folders without a watch, so that the test says what is looked at and when. */
export function scannersOf(
  folders: readonly string[],
  limits: BudgetLimits,
  { readTime = 0, settle = 0 }: { readonly readTime?: number; readonly settle?: number } = {},
): ScanRig {
  // A second ahead, so that no file is fresh.
  const manual = createManualClock(Date.now() + 3_600_000);
  let takes = 0;
  const clock = {
    ...manual,
    now: () => {
      manual.advance(takes);
      return manual.now();
    },
    monotonic: () => {
      manual.advance(takes);
      return manual.monotonic();
    },
  };
  const recorded = createRecordedCounters();
  const counters: RecordedCounters = {
    ...recorded,
    count(name, labels) {
      recorded.count(name, labels);
      if (name === 'gatehouse_source_reads_total') clock.advance(readTime);
    },
  };
  // Most tests reckon with the bytes of files alone.
  const budget = new ManifestBudget({ object: 0, ...limits });
  const counted = ({ root, name }: ManifestFile, objects: number): void => budget.setObjects(root, name, objects);
  const store = new ManifestStore({ roots: folders, log: createRecordedLog(), counters, counted });
  const loader = new ManifestLoader({
    store,
    parse: parseManifest,
    namespaces: [],
    clock,
    log: createRecordedLog(),
    counters,
  });
  const batches = createBatches();
  const shared = { store, loader, arrivals: new Arrivals(), budget, plan: new WatchPlan(), settle };
  const scanners = folders.map((path, root) => new RootScanner({ root, path, ...shared, clock, counters }));
  const deliver = (): Batches => {
    const batch = store.takeBatch();
    if (batch !== undefined) batches.deliver(batch);
    return batches;
  };
  return {
    async scan(changed = 'all', wasLeft = [], othersWait = false) {
      const left: string[] = [];
      for (const scanner of scanners) {
        const named = changed === 'all' ? [] : [...changed].filter((name) => scanner.hasToScan(name));
        const before = new EntryOrder();
        before.add(wasLeft);
        const ofBefore = wasLeft.length > 0 ? { left: before } : {};
        const scope = changed === 'all' ? wholeRoot : { all: false, ...ofBefore, names: new Set(named) };
        left.push(...(await scanner.scan(scope, () => othersWait)));
      }
      for (const scanner of scanners) await scanner.fit(() => false);
      deliver();
      return left;
    },
    deliver,
    check: () => scanners[0]?.check() ?? Promise.resolve(new Set<string>()),
    services: () => [...batches.resources.keys()].toSorted(),
    messages: () => store.diagnostics().map(({ message }) => message),
    looks: (by) => counters.total('gatehouse_source_looks_total', { by }),
    pass: (milliseconds) => clock.advance(milliseconds),
    hurry: () => {
      takes = 1;
    },
  };
}
