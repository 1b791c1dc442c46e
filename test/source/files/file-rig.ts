import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock, Counters, StopAsync } from '../../../src/edges.ts';
import { type FileSourceOptions, fileSource } from '../../../src/source/source.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';

/** A source over real files. */
export interface FileRig extends Batches {
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  /** Settles at the end of the next scan. */
  scanned(): Promise<void>;
  /** The number of reads and parses of files. */
  work(): { readonly reads: number; readonly parses: number };
  /** The first MCP port of a Service. */
  port(key: string): number | undefined;
  /** Place and message of each diagnostic. */
  problems(): readonly string[];
  stop: StopAsync;
}

/** Writes a file in place. */
export function save(folder: string, name: string, content: string | Buffer): void {
  writeFileSync(join(folder, name), content);
}

/**
 * The system clock a second ahead, so that no file is fresh and read twice. Delays of 250 ms and more never end, so that
 * only events cause scans, and a large file is waited for however busy the machine is.
 */
const eventsOnly: Clock = {
  ...systemClock,
  now: () => systemClock.now() + 1000,
  after: (milliseconds, run) => (milliseconds < 250 ? systemClock.after(milliseconds, run) : () => undefined),
};

/**
 * Watches the roots until the test is finished. Once it settles, nothing is pending, so that only an event causes a
 * scan; with a clock of the test's own, the second whole scan is pending.
 */
export async function startFiles(roots: readonly string[], more: Partial<FileSourceOptions> = {}): Promise<FileRig> {
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const batches = createBatches();
  let nextScan = Promise.withResolvers<void>();
  const scanned = (): Promise<void> => nextScan.promise;
  const observed: Counters = {
    ...counters,
    gauge(name, value) {
      counters.gauge(name, value);
      nextScan.resolve();
      nextScan = Promise.withResolvers<void>();
    },
  };
  const source = fileSource({ roots, settle: 0, clock: eventsOnly, log, counters: observed, ...more });
  const stop = await source.start(batches.deliver);
  onTestFinished(stop);
  if (more.clock === undefined) await scanned();
  return Object.assign(batches, {
    log,
    counters,
    stop,
    scanned,
    work: () => ({
      reads: counters.total('gatehouse_source_reads_total'),
      parses: counters.total('gatehouse_source_parses_total'),
    }),
    port(key: string) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    problems: () => source.diagnostics().map(({ place, message }) => `${place} ${message}`),
  });
}
